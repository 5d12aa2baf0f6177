"""A model in plain C, for microcontrollers and anything else that has a C compiler."""

from .writing import Written as Written
from .writing import write_c as write_c
