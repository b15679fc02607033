"""The tree of errors. Each has a `code` for programs and says whether trying again can help (`retryable`).

    VivantError
    ├── InvalidRequest              the caller sent something wrong; names the field
    │   └── InvalidPicture          the picture, or the address it is fetched from
    │       ├── UnreadablePicture · UnsupportedPicture · PictureTooManyBytes
    │       ├── PictureOutOfBounds      sides or aspect outside the bounds; too large: PictureTooLarge
    │       └── PictureUnreachable      the address could not be fetched, or may not be
    │   ├── EngineCannot            the engine that was chosen cannot make this clip
    │   └── IdempotencyMismatch     the idempotency key was used with another request
    ├── NotAuthorized               MissingKey · UnknownKey
    ├── NotFound                    TaskNotFound
    ├── UnreadableTask              the task is stored in a form that this program cannot read
    ├── IllegalTransition           the task's status does not allow this
    ├── Busy                        try again after `retry_after` seconds
    │   ├── LimitReached                the key has all that it may have of something (tasks, files, memory)
    │   └── OutcomeUnknown              the change may have been made: look before trying again
    ├── Stopped                     the work was told to stop: cancelled, expired, lease lost, going down
    ├── EngineFailed                the engine could not make the clip
    │   ├── BackendLost                 the server behind the engine went away: another attempt may succeed
    │   ├── OutOfMemory                 the machine or its card has too little memory for this clip
    │   └── RefusedByBackend            the server behind the engine will not make this clip: no other engine is asked
    ├── StorageFailed               a file could not be stored or read; try again
    │   └── ScratchFailed           the same for temporary files of workers
    ├── DamagedFile                 a stored file is not the one that was recorded
    └── Misconfigured               wrong settings or installation; says what to change

An error that is raised without a message shows the docstring of its class. HTTP statuses and provider codes are chosen
in `api/dialects/` only.
"""

from __future__ import annotations

import inspect


class VivantError(Exception):
    """Something went wrong in Vivant."""

    code = "INTERNAL"
    retryable = False  # whether the same work may succeed when it is tried again

    def __str__(self) -> str:
        return super().__str__() or inspect.cleandoc(self.__doc__ or "")


class InvalidRequest(VivantError):
    """The request is not valid."""

    code = "INVALID_REQUEST"

    def __init__(self, problem: str = "", *, field: str = "") -> None:
        """`problem` says what is allowed and what was sent, without the field's name; `str` puts the name before it.

        The inner modules name fields of `request.Brief`. A dialect whose callers use other names puts its own in.
        """
        super().__init__(problem)
        self.field = field

    @property
    def problem(self) -> str:
        return super().__str__()

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" if self.field else self.problem


class InvalidPicture(InvalidRequest):
    """The picture cannot be used."""

    code = "INVALID_PICTURE"


class UnreadablePicture(InvalidPicture):
    """The picture could not be decoded."""

    code = "PICTURE_UNREADABLE"


class UnsupportedPicture(InvalidPicture):
    """The picture is not jpeg, png, webp, bmp, tiff or gif."""

    code = "PICTURE_UNSUPPORTED"


class PictureTooManyBytes(InvalidPicture):
    """The picture has more than 30·2²⁰ bytes."""

    code = "PICTURE_TOO_MANY_BYTES"


class PictureOutOfBounds(InvalidPicture):
    """The sides or the aspect of the picture are outside the bounds."""

    code = "PICTURE_OUT_OF_BOUNDS"


class PictureTooLarge(PictureOutOfBounds):
    """A side of the picture is 6000 pixels or longer."""

    code = "PICTURE_TOO_LARGE"


class PictureUnreachable(InvalidPicture):
    """The picture could not be fetched."""

    code = "PICTURE_UNREACHABLE"


class EngineCannot(InvalidRequest):
    """The engine cannot make this clip."""

    code = "ENGINE_CANNOT"


class IdempotencyMismatch(InvalidRequest):
    """This idempotency key was used with another request: repeat that one unchanged, or send a new key."""

    code = "IDEMPOTENCY_MISMATCH"


class NotAuthorized(VivantError):
    """The caller may not do this."""

    code = "NOT_AUTHORIZED"


class MissingKey(NotAuthorized):
    """An API key is required: send `Authorization: Bearer sk_…`."""

    code = "MISSING_KEY"


class UnknownKey(NotAuthorized):
    """The API key is unknown or was revoked."""

    code = "UNKNOWN_KEY"


class NotFound(VivantError):
    """There is no such thing."""

    code = "NOT_FOUND"


class TaskNotFound(NotFound):
    """There is no task with this id."""

    code = "TASK_NOT_FOUND"


class UnreadableTask(VivantError):
    """The task is stored in a form that this program cannot read."""

    code = "TASK_UNREADABLE"


class IllegalTransition(VivantError):
    """The task's present status does not allow this step."""

    code = "ILLEGAL_TRANSITION"


class Busy(VivantError):
    """The service has all the work it can hold; try again later."""

    code = "BUSY"
    retryable = True

    def __init__(self, message: str = "", *, retry_after: int = 5) -> None:
        """`retry_after`: seconds after which trying again makes sense."""
        super().__init__(message)
        self.retry_after = retry_after


class LimitReached(Busy):
    """No more of this is allowed now; wait until some of it has ended."""

    code = "LIMIT_REACHED"


class OutcomeUnknown(Busy):
    """Whether the change was made is not known: look before trying again."""

    code = "OUTCOME_UNKNOWN"


class Stopped(VivantError):
    """The work was asked to stop."""

    code = "STOPPED"


class EngineFailed(VivantError):
    """The engine could not make the clip."""

    code = "ENGINE_FAILED"
    recycle = False  # True: the worker ends after this job, and a new one sets the engine up again


class BackendLost(EngineFailed):
    """The server behind the engine went away while it worked."""

    code = "BACKEND_LOST"
    retryable = True
    recycle = True


class OutOfMemory(EngineFailed):
    """There is too little memory for this clip."""

    code = "OUT_OF_MEMORY"
    recycle = True


class RefusedByBackend(EngineFailed):
    """The server behind the engine refused to make this clip."""

    code = "REFUSED_BY_BACKEND"


class StorageFailed(VivantError):
    """A file could not be stored or read."""

    code = "STORAGE_FAILED"
    retryable = True

    def __init__(self, message: str = "", *, detail: str = "") -> None:
        """`message` is told to callers. `detail`, with addresses and paths of the store, is for the log only."""
        super().__init__(message)
        self.detail = detail


class ScratchFailed(StorageFailed):
    """A temporary file could not be written."""

    code = "SCRATCH_FAILED"


class DamagedFile(VivantError):
    """The stored file is not the one that was recorded."""

    code = "FILE_DAMAGED"


class Misconfigured(VivantError):
    """The settings or the installation do not allow this."""

    code = "MISCONFIGURED"
