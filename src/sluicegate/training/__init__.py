"""Training: one loop for every task, with early stopping, progress and checkpoints."""

from .checkpoint import Curve as Curve
from .loop import Schedule as Schedule
from .loop import train as train
from .progress import progress_bar as progress_bar
from .watching import Cost as Cost
from .watching import peak_memory as peak_memory
from .watching import watched as watched
