"""What rclpy's life cycle leaves open: exceptions in transitions, and those that do not fit."""

from __future__ import annotations

import functools
import traceback

from rclpy.lifecycle import TransitionCallbackReturn

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR


def transition(otherwise: TransitionCallbackReturn):
    """Log what a transition raises, which rclpy would swallow, and return `otherwise`."""

    def decorate(callback):
        @functools.wraps(callback)
        def guarded(self, state):
            try:
                return callback(self, state)
            except (OSError, ValueError) as error:
                self.get_logger().error(f'{callback.__name__.removeprefix("on_")}: {error}')
            except Exception:
                self.get_logger().error(traceback.format_exc())
            return otherwise

        return guarded

    return decorate


def refuse_invalid_transitions(node) -> None:
    """Answer a request that does not fit the state with a refusal; rclpy would end the process."""
    service = node._service_change_state
    change = service.callback

    def answer(request, response):
        try:
            return change(request, response)
        except Exception as error:
            node.get_logger().error(f'transition {request.transition.id} refused: {error}')
            response.success = False
            return response

    service.callback = answer
