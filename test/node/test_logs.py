import logging

from rclpy.logging import get_logger
from rganet_ros.node.logs import Forward


def test_what_the_package_logs_is_in_the_nodes_log(capfd):
    log = logging.getLogger('rganet_ros.runtime.engine_cache')
    forward = Forward(get_logger('a_node'))
    log.info('building an engine')
    log.warning('it cannot be kept')
    log.error('it failed')
    forward.close()
    log.warning('too late')
    said = capfd.readouterr().err
    for line in ('INFO', 'building an engine', 'WARN', 'it cannot be kept', 'ERROR', 'it failed'):
        assert line in said
    assert said.count('a_node') == 3
