"""Training: one loop for every task, with early stopping, progress and checkpoints; and one for streams without end."""

from .checkpoint import Curve as Curve
from .descent import Part as Part
from .descent import Schedule as Schedule
from .loop import train as train
from .progress import progress_bar as progress_bar
from .stream import Piece as Piece
from .stream import train_on_stream as train_on_stream
from .watching import Cost as Cost
from .watching import peak_memory as peak_memory
from .watching import watched as watched
from .workers import Workers as Workers
