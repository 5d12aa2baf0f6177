"""The script by which GRUs are taught: a network of 50 units learns to continue a sine wave.

python examples/keras_sine.py                  Keras alone
python -m sluicegate examples/keras_sine.py    the same, its GRU computed by Sluicegate
"""

import keras
import numpy as np
from keras.layers import GRU, Dense, Input
from keras.models import Sequential

keras.utils.set_random_seed(0)


def create_sequences(data, steps):
    """Cut a series into windows, each with the value that follows it."""
    windows, following = [], []
    for start in range(len(data) - steps):
        windows.append(data[start : start + steps])
        following.append(data[start + steps])
    return np.array(windows), np.array(following)


wave = np.sin(np.linspace(0, 100, 1000))
x, y = create_sequences(wave, steps=50)
x = x.reshape((x.shape[0], x.shape[1], 1))

model = Sequential([Input(shape=(50, 1)), GRU(50, activation="relu"), Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, epochs=50, batch_size=32, verbose=2)

error = np.sqrt(np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2))
print(f"root mean squared error: {error:.1e}")
