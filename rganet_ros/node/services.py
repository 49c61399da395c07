"""~/reset, ~/trigger and ~/save, all of std_srvs/Trigger."""

from __future__ import annotations

import threading

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from rganet_ros.node import saving
from rganet_ros.node.answers import answered, Answers
from rganet_ros.node.triggers import Triggers
from std_srvs.srv import Trigger


class Services:
    """Answers for a PerceptionNode, in the executor's thread."""

    def __init__(self, node, answers: Answers, triggers: Triggers):
        """Offer the services."""
        self._node, self._answers, self._triggers = node, answers, triggers
        # Of the default group nothing else would run while one of these awaits its answer.
        group = ReentrantCallbackGroup()
        calls = {'reset': self._reset, 'trigger': self._trigger, 'save': self._save}
        for name, callback in calls.items():
            node.create_service(Trigger, f'~/{name}', callback, callback_group=group)

    def _reset(self, request, response):
        response.success = self._node.forget()
        response.message = 'past frames are forgotten' if response.success else 'not configured'
        return response

    async def _trigger(self, request, response):
        if not self._node.expect():
            response.message = 'not active'
            return response
        future = self._triggers.ask(self._node.parameters.node.trigger_timeout)
        return await answered(future, response)

    async def _save(self, request, response):
        kept, future = self._node.memory.all(), Future()
        if not kept:
            response.message = 'nothing is kept: save_seconds is 0, or nothing came yet'
            return response

        def save():
            try:
                path = saving.write(kept, self._node.parameters.save.save_folder)
                self._answers.resolve(future, True, f'{len(kept)} messages in {path}')
            except Exception as error:  # whatever it is, who asked must hear of it
                self._answers.resolve(future, False, f'{type(error).__name__}: {error}')

        # Writing takes seconds; frames go on meanwhile.
        threading.Thread(target=save, name='save', daemon=True).start()
        return await answered(future, response)
