"""What the package logs (the building of an engine, say) into the log of a node."""

from __future__ import annotations

import logging

PACKAGE = logging.getLogger('rganet_ros')


class Forward(logging.Handler):
    """Hands records to a node's logger, until it is closed."""

    def __init__(self, logger):
        """Begin; `logger` is a node's."""
        super().__init__(logging.INFO)
        self._logger = logger
        PACKAGE.addHandler(self)
        PACKAGE.setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one on; rclpy wants a line of its own for each severity."""
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)

    def close(self) -> None:
        """End."""
        PACKAGE.removeHandler(self)
        super().close()
