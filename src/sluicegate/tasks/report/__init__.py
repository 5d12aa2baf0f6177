"""The report of an evaluation, in the terminal, in a notebook and as a page."""

from .content import FOOTNOTE as FOOTNOTE
from .content import Clip as Clip
from .content import Measure as Measure
from .picture import Picture as Picture
from .report import Report as Report
