"""What goes wrong, in one line that names it."""


class Error(Exception):
    """Anything that Gorila reports."""


class InvalidArgument(Error, ValueError):
    """What was given can never work."""


class NotFound(Error, FileNotFoundError):
    """A file or folder that is not there."""
