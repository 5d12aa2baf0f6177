"""The step of a forecaster, as `sluicegate.runtime.forecast` computes it: a row in, the forecast of the horizon out.

kept        the last rows, as many as the network looks back on
network     segments of them through a map with relu and the recurrent layers; from there a step for each segment ahead
answer      the mean and the quantiles of each target and row ahead, in the unit of the target
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from sluicegate.export.forecast import Forecast
from sluicegate.export.layers import inputs_of, units_of
from sluicegate.export.network import Network
from sluicegate.runtime.forecast.scales import FAR, OFF, STILL
from sluicegate.runtime.forecast.trained import DEVIATIONS

from .cells import kind_of
from .constants import Constants
from .doubles import MOMENTS, MONTHS, ROOTS, TURNS
from .plain import layer_calls

MONDAY = 345_600_000_000  # microseconds to the first Monday of 1970


def kept_of(forecast: Forecast) -> list[tuple[str, int]]:
    """The arrays of the state beside the time of the next row."""
    rows = forecast.trained.shape.context * len(forecast.trained.columns)
    return [("rows", rows), ("counted", 1 + (rows + 1) % 2)]  # a whole number of doubles


def functions_of(forecast: Forecast) -> list[str]:
    """What of the arithmetic of doubles is used."""
    trained = forecast.trained
    turns = [TURNS, MONTHS if trained.clock.kind == "month" else MOMENTS] if trained.periods else []
    return [ROOTS, *turns]


def forecast_step(network: Network, constants: Constants, members: list[dict[str, Any]], name: str) -> str:
    """The functions from a row to a forecast."""
    forecast = network.forecast
    assert forecast is not None, "these forecast"
    _put(constants, forecast)
    return "\n".join(
        [
            _sizes(network, forecast, name),
            _calendar(forecast),
            _cells(network, members, name),
            _network(network, forecast, members, name),
            _PLACE.format(big=name.upper()),
            _SCALE.format(big=name.upper(), far=FAR, still=STILL, off=OFF),
            _answer(forecast, name),
            _target(name),
            _step(forecast, name),
        ]
    )


def _put(constants: Constants, forecast: Forecast) -> None:
    trained, series = forecast.trained, forecast.series
    mean, deviation = trained.covariate_scale
    unit = np.where(deviation > 0, deviation, 1.0)
    held = np.stack([series.mean, series.deviation, series.knee, series.least, series.grain, series.gain], axis=1)
    held = np.concatenate([np.nan_to_num(held, neginf=-1e300), series.naive_share], axis=1)
    arrays = {
        "place": forecast.place,
        "query": forecast.query,
        "shortcut": forecast.shortcut,
        "effect": forecast.effect if len(forecast.effect) else None,
        "covariate_mean": mean if len(mean) else None,
        "covariate_unit": unit if len(mean) else None,
        "series": held,
        "widths": trained.widths,
    }
    for name, array in arrays.items():
        if array is not None:
            constants.add(name, np.ascontiguousarray(array))


def _sizes(network: Network, forecast: Forecast, name: str) -> str:
    big, trained = name.upper(), forecast.trained
    shape, layers = trained.shape, network.members[0].layers
    sizes = {
        "COLUMNS": len(trained.columns),
        "CONTEXT": shape.context,
        "WINDOW": shape.context + shape.horizon,
        "SEGMENT": shape.segment,
        "BEFORE": shape.before,
        "AFTER": shape.after,
        "PAST": shape.past,
        "KNOWN": shape.known,
        "CALENDAR": shape.calendar,
        "PARTS": shape.outputs,
        "MEDIAN": shape.median,
        "SEASON": trained.season,
        "UNITS": shape.hidden,
        "ALL_UNITS": sum(map(units_of, layers)),
    }
    return "".join(f"#define {big}_{what} {number}\n" for what, number in sizes.items())


def _calendar(forecast: Forecast) -> str:
    """What of the calendar the network sees of the segment that begins at a tick."""
    trained = forecast.trained
    if not trained.periods:
        return ""
    periods = ", ".join(f"INT64_C({period})" for period, _ in trained.periods)
    counts = ", ".join(str(count) for _, count in trained.periods)
    number = len(trained.periods)
    return f"""\
static void calendar_of(int64_t tick, float *found) {{
  static const int64_t periods[{number}] = {{{periods}}};
  static const int harmonics[{number}] = {{{counts}}};
  int64_t since = local_time(tick) - INT64_C({MONDAY});
  int k, harmonic;
  for (k = 0; k < {number}; k++) {{
    int64_t rest = since % periods[k];
    if (rest < 0) rest += periods[k];
    for (harmonic = 1; harmonic <= harmonics[k]; harmonic++) {{
      double turns = (double)rest * (double)harmonic / (double)periods[k];
      *found++ = (float)sine(turns);
      *found++ = (float)sine(turns + 0.25);
    }}
  }}
}}
"""


def _cells(network: Network, members: list[dict[str, Any]], name: str) -> str:
    """A step of the recurrent layers, and the number of floats in their state."""
    lstm = network.members[0].layers[0].cell == "lstm"
    calls, last = layer_calls(network, members, 0, "x", "  ")
    kept = f"  float h[{name.upper()}_ALL_UNITS];\n" + (f"  float c[{name.upper()}_ALL_UNITS];\n" if lstm else "")
    return f"""\
struct {name}_cells {{
{kept}}};

static const float *read_segment(struct {name}_cells *state, const float *x) {{
{calls}  return {last};
}}
"""


def _network(network: Network, forecast: Forecast, members: list[dict[str, Any]], name: str) -> str:
    """From standardised columns to standardised outputs of each row ahead."""
    big, shape, (member,) = name.upper(), forecast.trained.shape, network.members
    assert member.front is not None, "it embeds segments"
    ahead = 0 if forecast.query is None else forecast.query.shape[1]
    lacking = shape.before * shape.segment - shape.context
    used = (("past", shape.past), ("known", shape.known), ("calendar", shape.calendar))
    unused = "".join(f"  (void){what};\n" for what, columns in used if not columns)
    return f"""\
static void network_of(const float *c, const float *past, const float *known, const float *calendar, int padded,
                       float *found) {{
  struct {name}_cells state;
  float z[{big}_CONTEXT];
  float level[{big}_HORIZON];
  float seen[{inputs_of(member.front)}];
  float embedded[{big}_UNITS];
{f"  float ahead[{ahead}];{chr(10)}" if ahead else ""}\
  int skipped = padded > 0 ? (padded + {lacking}) / {big}_SEGMENT : 0;
  int i, k, s, t;
{unused}  for (t = 0; t < {big}_WINDOW; t++) {{
    float off = 0.0f;
{_effect(forecast, big)}    if (t < {big}_CONTEXT) z[t] = minus(minus(c[t], c[{big}_CONTEXT - 1]), off);
    else level[t - {big}_CONTEXT] = plus(c[{big}_CONTEXT - 1], off);
  }}
  memset(&state, 0, sizeof state);
  for (i = skipped; i < {big}_BEFORE; i++) {{
{_seen(forecast, big)}    {kind_of(member.front).name}(&{members[0]["front"]}, seen, embedded);
    read_segment(&state, embedded);
  }}
  for (i = 0; i < {big}_AFTER; i++) {{
    struct {name}_cells from;
    const float *read;
{_asked(forecast, big)}    memcpy(&from, &state, sizeof from);
    read = read_segment(&from, embedded);
    for (s = 0; s < {big}_SEGMENT; s++) {{
      t = {big}_SEGMENT * i + s;
      if (t >= {big}_HORIZON) break;
{_head(members[0], big)}    }}
  }}
}}
"""


def _effect(forecast: Forecast, big: str) -> str:
    """What the columns known in advance explain at a row."""
    if not forecast.trained.shape.known:
        return ""
    return f"""\
    for (k = 0; k < {big}_KNOWN; k++) {{
      const float *own = known + {big}_WINDOW * k;
      off = plus(off, times(minus(own[t], own[{big}_CONTEXT - 1]), effect[k]));
    }}
"""


def _seen(forecast: Forecast, big: str) -> str:
    """A segment of the context, all of its columns side by side, and its calendar."""
    shape = forecast.trained.shape
    at = f"{big}_SEGMENT * i + s - {shape.before * shape.segment - shape.context}"
    parts = f"""\
    float *x = seen;
    for (s = 0; s < {big}_SEGMENT; s++) *x++ = {at} < 0 ? 0.0f : z[{at}];
"""
    for what, wide, columns in (("past", "CONTEXT", shape.past), ("known", "WINDOW", shape.known)):
        if columns:
            parts += f"""\
    for (k = 0; k < {columns}; k++)
      for (s = 0; s < {big}_SEGMENT; s++) *x++ = {at} < 0 ? 0.0f : {what}[{big}_{wide} * k + {at}];
"""
    if shape.calendar:
        parts += f"    for (k = 0; k < {big}_CALENDAR; k++) *x++ = calendar[{big}_CALENDAR * i + k];\n"
    return parts


def _asked(forecast: Forecast, big: str) -> str:
    """What the layers are given for a segment ahead."""
    shape, fill, product = forecast.trained.shape, "", ""
    if forecast.query is not None:
        ahead, fill = forecast.query.shape[1], "    float *x = ahead;\n"
        product = f"      embedded[k] = plus(embedded[k], lanes(query + {ahead} * k, ahead, {ahead}));\n"
    if shape.known:
        fill += f"""\
    for (k = 0; k < {big}_KNOWN; k++)
      for (s = 0; s < {big}_SEGMENT; s++) {{
        t = {big}_SEGMENT * i + s;
        *x++ = t < {big}_HORIZON ? known[{big}_WINDOW * k + {big}_CONTEXT + t] : 0.0f;
      }}
"""
    if shape.calendar:
        fill += f"    for (k = 0; k < {big}_CALENDAR; k++) *x++ = calendar[{big}_CALENDAR * ({big}_BEFORE + i) + k];\n"
    return f"""\
{fill}    for (k = 0; k < {big}_UNITS; k++) {{
      embedded[k] = place[{big}_UNITS * i + k];
{product}    }}
"""


def _head(own: dict[str, Any], big: str) -> str:
    """The outputs of a row ahead."""
    return f"""\
      for (k = 0; k < {big}_PARTS; k++) {{
        int row = {big}_PARTS * s + k;
        float own = plus({own["bias"]}[row], lanes({own["weight"]} + {big}_UNITS * row, read, {big}_UNITS));
        float line = plus(lanes(shortcut + {big}_CONTEXT * t, z, {big}_CONTEXT), level[t]);
        found[{big}_PARTS * t + k] = plus(own, line);
      }}
"""


_PLACE = """\
/* Which of the rows stands for one of the context: before the first, the first season comes over again. */
static int place_of(int place, int count) {{
  if (place >= 0) return place;
  if (count < {big}_SEASON) return 0;
  place = place % {big}_SEASON;
  return place < 0 ? place + {big}_SEASON : place;
}}
"""

_SCALE = """\
/* The mean and the deviation of numbers. */
static void moments_of(const double *x, int count, double *mean, double *deviation) {{
  double sum = 0.0;
  double squares = 0.0;
  int k;
  for (k = 0; k < count; k++) sum += x[k];
  sum /= (double)count;
  for (k = 0; k < count; k++) squares += (x[k] - sum) * (x[k] - sum);
  *mean = sum;
  *deviation = root(squares / (double)count);
}}

/* Whether the scale of training says nothing about a context. */
static int is_lost(const float *c, double deviation) {{
  double x[{big}_CONTEXT];
  double mean, spread;
  float least = c[0];
  float most = c[0];
  int k;
  for (k = 0; k < {big}_CONTEXT; k++) {{
    x[k] = (double)c[k];
    least = c[k] < least ? c[k] : least;
    most = c[k] > most ? c[k] : most;
  }}
  if (!(most > least)) return 0;
  moments_of(x, {big}_CONTEXT, &mean, &spread);
  mean = mean < 0.0 ? -mean : mean;
  return deviation == 0.0 || spread > {far!r} || mean > {far!r} || (spread < {still!r} && mean > {off!r});
}}

/* A context on the scale of its own rows, from the one before the first change on. */
static int rescale(const double *values, float *c, double *mean, double *unit) {{
  int first = 0;
  int t;
  while (first < {big}_CONTEXT - 1 && values[first] == values[0]) first++;
  moments_of(values + first - 1, {big}_CONTEXT - first + 1, mean, unit);
  for (t = 0; t < {big}_CONTEXT; t++)
    c[t] = (float)((values[first + place_of(t - first, {big}_CONTEXT - first)] - *mean) / *unit);
  return first;
}}
"""


def _answer(forecast: Forecast, name: str) -> str:
    """From standardised outputs of a row ahead to the mean and the quantiles."""
    big, trained = name.upper(), forecast.trained
    levels, count = trained.quantiles, len(trained.quantiles)
    middle, low, high = (levels.index(q) for q in (0.5, 0.1, 0.9))
    scores = ", ".join(repr(NormalDist().inv_cdf(q)) for q in levels)
    return f"""\
/* series: the mean, the deviation, the knee, the least value, the grain, the gain and the shares of a target. */
static double unscaled(double x, double level, double unit, double knee) {{
  if (knee <= 0.0) return x * unit + level;
  x = x * unit + level;
  return knee * hyperbolic_sine(x < level + 10.0 * unit ? x : level + 10.0 * unit);
}}

static void answer_of(const double *own, double *out, double repeated, const double *width, double level, double unit,
                      double deviation, double knee, double last, int lost, int below, float *answer) {{
  static const double scores[{count}] = {{{scores}}};
  double lowest = below ? -1e300 : own[3];
  double mean, spread;
  int k, i;
  double median = out[{big}_MEDIAN];
  out[0] += own[6] * (repeated - out[0]);
  for (k = 1; k < {big}_PARTS; k++) out[k] += own[7] * (repeated - median);
  if (!(deviation > 0.0)) for (k = 0; k < {big}_PARTS; k++) out[k] = last;
  mean = out[0];
  out++;
  median = out[{middle}];
  for (k = 0; k < {count}; k++) out[k] = median + (out[k] - median) * width[k];
  for (k = 1; k < {count}; k++)
    for (i = k; i > 0 && out[i] < out[i - 1]; i--) {{
      double held = out[i];
      out[i] = out[i - 1];
      out[i - 1] = held;
    }}
  if (lost) {{
    median = out[{middle}];
    for (k = 0; k < {count}; k++) {{
      double wide = median + scores[k];
      if (scores[k] < 0.0 ? wide < out[k] : wide > out[k]) out[k] = wide;
    }}
  }}
  spread = (out[{high}] - out[{low}]) / {DEVIATIONS!r} * unit;
  spread = spread * spread < 1.0 ? spread * spread : 1.0;
  mean = unscaled(mean, level, unit, knee);
  if (knee > 0.0) mean *= exponential(spread / 2.0);
  mean *= own[5];
  answer[0] = (float)(mean > lowest ? mean : lowest);
  for (k = 0; k < {count}; k++) {{
    double value = unscaled(out[k], level, unit, knee);
    if (own[4] > 0.0) {{
      double floor = (double)(int64_t)(value - 1e-4);
      value = floor < value - 1e-4 ? floor + 1.0 : floor;
    }}
    answer[1 + k] = (float)(value > lowest ? value : lowest);
  }}
}}
"""


def _target(name: str) -> str:
    big = name.upper()
    return f"""\
/* The forecast of one target. */
static void forecast_of(const struct {name}_state *state, int target, const float *past, const float *known,
                        const float *calendar, float *answer) {{
  const double *own = series + 8 * target;
  double values[{big}_CONTEXT];
  float c[{big}_CONTEXT];
  float found[{big}_PARTS * {big}_HORIZON];
  double level = own[0];
  double deviation = own[1];
  double knee = own[2];
  double unit = deviation > 0.0 ? deviation : 1.0;
  int count = (int)state->counted[0];
  int padded = {big}_CONTEXT - count;
  int period = {big}_SEASON <= {big}_CONTEXT ? {big}_SEASON : 1;
  int below = 0;
  int lost, t, k;
  for (t = 0; t < {big}_CONTEXT; t++) {{
    int place = place_of(t - {big}_CONTEXT + count, count);
    values[t] = (double)state->rows[{big}_COLUMNS * place + target];
    below = below || values[t] < 0.0;
    c[t] = (float)(((knee > 0.0 ? arcsinh(values[t] / knee) : values[t]) - level) / unit);
  }}
  lost = is_lost(c, deviation);
  if (lost) {{
    padded = rescale(values, c, &level, &unit);
    deviation = unit;
    knee = 0.0;
  }}
  network_of(c, past, known, calendar, padded, found);
  for (t = 0; t < {big}_HORIZON; t++) {{
    double out[{big}_PARTS];
    double repeated = (double)c[{big}_CONTEXT - period + t % period];
    for (k = 0; k < {big}_PARTS; k++) out[k] = (double)found[{big}_PARTS * t + k];
    answer_of(own, out, repeated, widths + ({big}_PARTS - 1) * t, level, unit, deviation, knee,
              (double)c[{big}_CONTEXT - 1], lost, below, answer + {big}_PARTS * t);
  }}
}}
"""


def _step(forecast: Forecast, name: str) -> str:
    big, trained = name.upper(), forecast.trained
    shape, step = trained.shape, trained.clock.step
    targets = len(trained.targets)
    scaled = ""
    for what, wide, first, own in (
        ("past", f"{big}_CONTEXT", 0, shape.past),
        ("known", f"{big}_WINDOW", shape.past, shape.known),
    ):
        if own:
            ahead = f"t < {big}_CONTEXT ? state->rows[{big}_COLUMNS * place + {targets + first} + k] : " + (
                f"input[{big}_HORIZON * k + t - {big}_CONTEXT]" if what == "known" else "0.0f"
            )
            scaled += f"""\
  for (k = 0; k < {own}; k++)
    for (t = 0; t < {wide}; t++) {{
      int place = place_of(t - {big}_CONTEXT + count, count);
      double value = (double)({ahead});
      {what}[{wide} * k + t] = (float)((value - covariate_mean[{first} + k]) / covariate_unit[{first} + k]);
    }}
"""
    calendar = ""
    if shape.calendar:
        calendar = f"""\
  for (k = 0; k < {big}_BEFORE + {big}_AFTER; k++)
    calendar_of(state->next + (int64_t)(k - {big}_BEFORE) * INT64_C({shape.segment * step}),
                calendar + {big}_CALENDAR * k);
"""
    used = "  int k, t;\n  int count = (int)state->counted[0];\n" if shape.past or shape.known else "  int k;\n"
    return f"""\
void {name}_read(struct {name}_state *state, const float *row) {{
  int count = (int)state->counted[0];
  int k;
  if (count == {big}_CONTEXT) {{
    count--;
    for (k = 0; k < {big}_COLUMNS * count; k++) state->rows[k] = state->rows[k + {big}_COLUMNS];
  }}
  for (k = 0; k < {big}_COLUMNS; k++) state->rows[{big}_COLUMNS * count + k] = row[k];
  state->counted[0] = (float)(count + 1);
  state->next += INT64_C({step});
}}

void {name}_forecast(const struct {name}_state *state, const float *input, float *output) {{
  float past[{big}_PAST * {big}_CONTEXT + 1];
  float known[{big}_KNOWN * {big}_WINDOW + 1];
  float calendar[{big}_CALENDAR * ({big}_BEFORE + {big}_AFTER) + 1];
{used}{"" if shape.known else "  (void)input;" + chr(10)}{scaled}{calendar}\
  for (k = 0; k < {targets}; k++)
    forecast_of(state, k, past, known, calendar, output + {big}_PARTS * {big}_HORIZON * k);
}}

void {name}_step(struct {name}_state *state, const float *input, float *output) {{
  {name}_read(state, input);
  {name}_forecast(state, input + {big}_COLUMNS, output);
}}
"""
