"""Readers: one for each kind of data."""

from sluicegate.types import Fill as Fill

from .axis import TimeAxis as TimeAxis
from .columns import Source as Source
from .files import read_batches as read_batches
from .files import read_table as read_table
from .joining import on_one_axis as on_one_axis
from .lines import source_of as source_of
from .panel import Panel as Panel
from .panel import read_panel as read_panel
from .recording_files import ARRAYS as ARRAYS
from .recording_files import RECORDING_FILES as RECORDING_FILES
from .recording_files import read_recordings as read_recordings
from .recording_files import require_no_arrays as require_no_arrays
from .recordings import Recordings as Recordings
from .scaling import Scaler as Scaler
from .seasons import calendar_seasons as calendar_seasons
from .seasons import find_season as find_season
from .seasons import find_seasons as find_seasons
from .support import Support as Support
from .windows import Windows as Windows
