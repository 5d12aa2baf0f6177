"""Models for thousands of streams at once, over WebSockets and HTTP."""

from .guard import read_token as read_token
from .limits import Limits as Limits
from .server import serve as serve
