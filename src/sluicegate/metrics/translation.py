"""How near written texts come to those of people, by sacrebleu, so that figures can be compared with others'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sluicegate.errors import MissingExtra

_DRAWS = 1000
_IDEOGRAPHS = 0.3  # of the characters, beyond which words are not told apart by spaces


class Scored(NamedTuple):
    """The figures of some texts beside their references."""

    bleu: float
    """BLEU in per cent (Papineni et al. 2002), cased and tokenised as `signatures` says."""
    chrf: float
    """chrF2 in per cent: the F-score of character n-grams (Popović 2015)."""


def _sacrebleu() -> Any:
    try:
        import sacrebleu
    except ImportError as error:
        raise MissingExtra("sacrebleu", "translate", "measuring what was written") from error
    return sacrebleu


def require_sacrebleu() -> None:
    """Refuse to begin what ends in figures where the package for these is missing.

    Raises:
        MissingExtra: it is.
    """
    _sacrebleu()


def tokenizer_for(references: Sequence[str]) -> str:
    """The name of sacrebleu's tokenizer for a language: `zh` where texts are mostly ideographs, else `13a`."""
    text = "".join(references)[:100_000]
    ideographs = sum("\u3040" <= letter <= "\u30ff" or "\u4e00" <= letter <= "\u9fff" for letter in text)
    return "zh" if text and ideographs / len(text) > _IDEOGRAPHS else "13a"


def scored(texts: Sequence[str], references: Sequence[str]) -> Scored:
    """BLEU and chrF of texts, each with one reference.

    Args:
        texts: that were written.
        references: what people wrote.

    Raises:
        MissingExtra: sacrebleu is not installed.

    >>> scored(["a dog runs in the snow"], ["a dog runs in the snow"])
    Scored(bleu=100.00000000000004, chrf=100.0)
    """
    bleu, chrf = _metrics(references)
    return Scored(bleu.corpus_score(texts, [references]).score, chrf.corpus_score(texts, [references]).score)


def lowercased(texts: Sequence[str], references: Sequence[str]) -> tuple[float, str]:
    """BLEU where capitals do not count, as many papers give it, and its signature."""
    metric = _sacrebleu().metrics.BLEU(lowercase=True, tokenize=tokenizer_for(references))
    return metric.corpus_score(texts, [references]).score, str(metric.get_signature())


def signatures(references: Sequence[str]) -> tuple[str, str]:
    """What others need to know to get the same figures of BLEU and chrF."""
    metrics = _metrics(references)
    for metric in metrics:
        metric.corpus_score([references[0]], [[references[0]]])  # only then it knows how many references there are
    bleu, chrf = (str(metric.get_signature()) for metric in metrics)
    return bleu, chrf


def bleu_p_value(references: Sequence[str], first: Sequence[str], second: Sequence[str]) -> float:
    """The p of no difference in BLEU between two systems, by paired bootstrap over the texts (Koehn 2004)."""
    bleu, _ = _metrics(references)
    figures = [bleu.corpus_score(list(texts), [list(references)]).score for texts in (first, second)]
    if len(references) < 2 or figures[0] == figures[1]:  # of which sacrebleu's p would be the smallest that there is
        return 1.0
    from sacrebleu.significance import PairedTest

    test = PairedTest(
        [("first", list(second)), ("second", list(first))],
        {"BLEU": bleu},
        [list(references)],
        test_type="bs",
        n_samples=_DRAWS,
        n_jobs=1,
    )
    _, found = test()
    result: Any = found["BLEU"][1]
    return float(result.p_value)


def _metrics(references: Sequence[str]) -> tuple[Any, Any]:
    metrics = _sacrebleu().metrics
    return metrics.BLEU(tokenize=tokenizer_for(references)), metrics.CHRF()


def interval(texts: Sequence[str], references: Sequence[str]) -> tuple[float, float]:
    """The interval that holds 95 % of the BLEU of as many texts drawn from these with replacement."""
    bleu, _ = _metrics(references)
    found = bleu.corpus_score(texts, [references], n_bootstrap=_DRAWS)
    return found._mean - found._ci, found._mean + found._ci


def sentence_chrf(text: str, reference: str) -> float:
    """chrF2 in per cent of a single text."""
    return float(_sacrebleu().sentence_chrf(text, [reference]).score)
