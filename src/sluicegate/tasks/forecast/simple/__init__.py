"""The simple methods that a forecast is held against, on the very same windows."""

from .choosing import Choice as Choice
from .choosing import Forecasting as Forecasting
from .choosing import choose as choose
from .choosing import simple_methods as simple_methods
from .statistical import FEWEST as FEWEST
from .statistical import STATISTICAL as STATISTICAL
