"""Sounds in which nothing is said, made by synthesis: noise, machines, knocks, animals, sirens, music, and babble.

No list of recordings holds every noise that there is. A network that has heard noise of some colours alone takes what
else there is for words, so that each kind here is drawn with all its numbers by chance: wider than what the world has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32

Samples = Float32[np.ndarray, " samples"]
Voice = Float32[np.ndarray, " _"]
Signal = Float[np.ndarray, " samples"]

_FEWEST_VOICES, _MOST_VOICES = 3, 8  # of babble: of fewer a word might be understood
_PITCHES = 30.0, 2000.0  # Hz, of machines and of animals
_NOTES = 60.0, 900.0  # Hz
_HARMONICS = 3, 12
_TWO = 0.3  # share of sounds that are of two kinds
_UNEVEN = 0.5  # and that come and go
_SCALE = (0, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12)  # semitones


def sound(count: int, rate: int, voices: Sequence[Voice], generator: np.random.Generator) -> Signal:
    """A sound of a kind that is drawn by chance.

    Args:
        count: samples.
        rate: in Hz.
        voices: recordings of speech, of which babble is made; without any there is none.
        generator: the source of chance.

    Returns:
        Samples of unit power.
    """
    found = _one(count, rate, voices, generator)
    if generator.random() < _TWO:
        found = found + _one(count, rate, voices, generator) * generator.uniform(0.1, 1.0)
    if generator.random() < _UNEVEN:
        found = found * swell(count, rate, generator)
    return unit(found)


def unit(samples: Signal) -> Signal:
    """The same at unit power; silence stays silence."""
    found: Signal = samples / max(1e-6, float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))))
    return found


def coloured(count: int, slope: float, generator: np.random.Generator) -> Samples:
    """Noise whose power falls with frequency to the power of `slope`: 0 is white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(generator.standard_normal(max(2, count)))
    spectrum *= np.arange(1, len(spectrum) + 1) ** (-slope / 2)
    found: Samples = np.fft.irfft(spectrum, max(2, count))[:count].astype(np.float32)
    return found


def shaped(samples: Signal, rate: int, generator: np.random.Generator) -> Signal:
    """The same through one to five resonances, and falling or rising with frequency."""
    spectrum = np.fft.rfft(samples)
    at = np.fft.rfftfreq(max(1, len(samples)), 1 / rate)
    gains = np.full(len(at), 10 ** generator.uniform(-3, -0.5))
    for _ in range(int(generator.integers(1, 6))):
        centre, width = np.exp(generator.uniform(np.log(80), np.log(rate / 2))), generator.uniform(0.03, 0.6)
        gains += generator.uniform(0.1, 1) / (1 + ((at / centre - 1) / width) ** 2)
    found: Signal = np.fft.irfft(spectrum * gains * (at + 50) ** generator.uniform(-0.7, 0.2), len(samples))
    return found


def swell(count: int, rate: int, generator: np.random.Generator) -> Signal:
    """A loudness over time: slow or fast waves, or on and off."""
    knots = 2 + int(count / rate * np.exp(generator.uniform(np.log(0.3), np.log(20))))
    depth = generator.uniform(5, 40)  # dB
    levels = generator.uniform(-depth, 0, knots)
    if generator.random() < 0.4:
        levels = np.where(levels > -depth * generator.uniform(0.2, 0.8), 0.0, -60.0)
    found: Signal = 10 ** (np.interp(np.linspace(0, knots - 1, count), np.arange(knots), levels) / 20)
    return found


def noise(count: int, rate: int, generator: np.random.Generator) -> Signal:
    """Noise of a colour, now and then through resonances: wind, rain, the sea."""
    found: Signal = coloured(count, float(generator.uniform(-0.5, 2.5)), generator).astype(np.float64)
    return shaped(found, rate, generator) if generator.random() < 0.5 else found


def machine(count: int, rate: int, generator: np.random.Generator) -> Signal:
    """A hum with many harmonics of a pitch that hardly wanders, in some noise: engines, saws, transformers."""
    pitch = np.exp(generator.uniform(np.log(_PITCHES[0]), np.log(400))) * np.ones(count)
    pitch *= 1 + generator.uniform(0, 0.1) * _wandering(count, rate, generator.uniform(0.5, 20), generator)
    found = unit(_tone(pitch, rate, generator))
    rough = unit(noise(count, rate, generator)) * generator.uniform(0, 1)
    return shaped(found + rough, rate, generator)


def knocks(count: int, rate: int, generator: np.random.Generator) -> Signal:
    """Knocks, clicks and rattles: bursts of noise that die away, even or uneven, through resonances."""
    train = np.zeros(count)
    number = 1 + int(count / rate * np.exp(generator.uniform(np.log(0.5), np.log(30))))
    even = (np.arange(number) + generator.uniform(0, 1)) * count / number
    places = even if generator.random() < 0.4 else generator.uniform(0, count, number)
    train[places.astype(np.int64) % count] = generator.uniform(0.2, 1, number)
    length = min(count, int(rate * 0.5))
    fading = np.exp(-np.arange(length) / (rate * np.exp(generator.uniform(np.log(0.001), np.log(0.1)))))
    return shaped(_convolved(train, generator.standard_normal(length) * fading), rate, generator)


def calls(count: int, rate: int, generator: np.random.Generator) -> Signal:
    """Barks, crows, chirps, coughs and sirens: bursts of a pitch that glides, or of noise, through resonances."""
    found, at = np.zeros(count), int(generator.uniform(0, 0.3) * min(count, rate))
    register = generator.uniform(np.log(80), np.log(_PITCHES[1]))
    breath, longest = generator.uniform(0, 1) ** 2, np.exp(generator.uniform(np.log(0.1), np.log(1.5)))
    while at < count:
        length = min(count - at, max(2, int(generator.uniform(0.3, 1) * longest * rate)))
        glide = np.interp(np.linspace(0, 3, length), np.arange(4), generator.normal(0, 0.25, 4))
        tone = unit(_tone(np.exp(register + glide), rate, generator)) * (1 - breath)
        burst = tone + unit(generator.standard_normal(length)) * breath
        rise = generator.uniform(0.02, 0.5)
        place = np.linspace(0, 1, length)
        envelope = np.minimum(place / rise, (1 - place) / (1 - rise)) ** generator.uniform(0.3, 2)
        found[at : at + length] = shaped(burst, rate, generator) * envelope
        at += length + int(generator.uniform(0.02, 1.2) * rate)
    return found


def music(count: int, rate: int, generator: np.random.Generator) -> Signal:
    """Notes and chords of one instrument, each of several harmonics, struck or held."""
    found, at = np.zeros(count), 0
    low, beat = np.exp(generator.uniform(*np.log(_NOTES))), generator.uniform(0.08, 0.7)
    voices, fading = int(generator.integers(1, 5)), generator.uniform(0.05, 3)
    timbre = _timbre(generator)
    while at < count:
        length = min(count - at, max(2, int(beat * generator.choice([1, 2, 4]) * rate)))
        for semitones in generator.choice(_SCALE, voices, replace=False):
            note = _tone(np.full(length, low * 2 ** (semitones / 12)), rate, generator, timbre)
            time = np.arange(length) / rate
            found[at : at + length] += note * np.minimum(1, time / 0.01) * np.exp(-time / fading)
        at += int(beat * generator.choice([1, 1, 2]) * rate)
    return found


def babble(count: int, voices: Sequence[Voice], generator: np.random.Generator) -> Signal:
    """Several recordings of speech at once, backwards."""
    found = np.zeros(count)
    for _ in range(int(generator.integers(_FEWEST_VOICES, _MOST_VOICES + 1))):
        at = 0
        while at < count:
            one = voices[int(generator.integers(len(voices)))][::-1][: count - at]
            found[at : at + len(one)] += unit(one) * generator.uniform(0.5, 1)
            at += max(1, len(one))
    return found


def _one(count: int, rate: int, voices: Sequence[Voice], generator: np.random.Generator) -> Signal:
    """A sound of one kind, of unit power."""
    kinds = (noise, noise, machine, knocks, calls, calls, music)
    kind = int(generator.integers(len(kinds) + bool(voices)))
    return unit(babble(count, voices, generator) if kind == len(kinds) else kinds[kind](count, rate, generator))


def _timbre(generator: np.random.Generator) -> Float[np.ndarray, " harmonics"]:
    """How strong each harmonic is."""
    number = int(generator.integers(*_HARMONICS))
    return generator.uniform(0.2, 1, number) * np.arange(1, number + 1) ** -generator.uniform(0, 1.5)


def _tone(
    pitch: Signal,
    rate: int,
    generator: np.random.Generator,
    timbre: Float[np.ndarray, " harmonics"] | None = None,
) -> Signal:
    """A tone with harmonics of a pitch over time, in Hz; those beyond half the rate are left out."""
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    found = np.zeros(len(pitch))
    for number, gain in enumerate(_timbre(generator) if timbre is None else timbre, 1):
        if number * pitch.max() < rate / 2:
            found += gain * np.sin(number * phase + generator.uniform(0, 2 * np.pi))
    return found


def _wandering(count: int, rate: int, changes: float, generator: np.random.Generator) -> Signal:
    """Numbers about 0 that change so many times a second."""
    knots = 2 + int(count / rate * changes)
    found: Signal = np.interp(np.linspace(0, knots - 1, count), np.arange(knots), generator.uniform(-1, 1, knots))
    return found


def _convolved(train: Signal, answer: Float[np.ndarray, " _"]) -> Signal:
    """What comes of a train of impulses where each is answered so."""
    size = len(train) + len(answer)
    found: Signal = np.fft.irfft(np.fft.rfft(train, size) * np.fft.rfft(answer, size), size)[: len(train)]
    return found
