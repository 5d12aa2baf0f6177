"""Training: one loop for every task, with early stopping, progress and checkpoints; and one for streams without end."""

from .adamw import AdamW as AdamW
from .checkpoint import Curve as Curve
from .cost import Cost as Cost
from .cost import peak_memory as peak_memory
from .cost import watched as watched
from .loop import train as train
from .optimizer import Part as Part
from .optimizer import Schedule as Schedule
from .progress import progress_bar as progress_bar
from .tbptt import Piece as Piece
from .tbptt import train_on_stream as train_on_stream
from .workers import Workers as Workers
