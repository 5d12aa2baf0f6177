"""`.ts` files: labels as written, files without any, padding, time stamps, and the line of what is wrong."""

import re

import pytest

from sluicegate.data import Source, read_recordings
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.classification.labels import Labels

HEADER = """# a comment
@problemName Made

@timeStamps false
@missing false
@univariate false
@dimensions 2
@equalLength false
% another one
@classLabel true Slow fast
@data
"""
TS = HEADER + "1.0,2.0,3.0:0.5,0.25,0.125:Slow\n4.0,5.0:1.5,2.5:fast\n"
VALUES = [[[1, 0.5], [2, 0.25], [3, 0.125]], [[4, 1.5], [5, 2.5]]]
PLAIN = "@univariate true\n@classLabel {}\n@data\n{}\n"
STAMPED = "@timeStamps true\n@univariate false\n@classLabel true up down\n@data\n{}\n"


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, **options):
        path = tmp_path / "made.ts"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_recordings(path, **options)

    return write_and_read


def values(found):
    return [part.tolist() for part in found.values]


def test_labels_are_as_they_are_written(read):
    found = read(TS)
    assert values(found) == VALUES
    assert found.labels.to_list() == ["Slow", "fast"]
    assert read(PLAIN.format("true a A", "1:a\n2:A")).labels.to_list() == ["a", "A"]
    assert read(PLAIN.format("true 01 1", "1:01\n2: 1 ")).labels.to_list() == ["01", "1"]
    spaced = read(PLAIN.format("true walking up walking down", "1:walking up\n2:walking  down"))
    assert spaced.labels.to_list() == ["walking up", "walking down"]
    assert read(PLAIN.format("true", "1:not listed\n2:NA")).labels.to_list() == ["not listed", "NA"]
    assert read(PLAIN.format("true a b", "1:a\n2:?")).labels.to_list() == ["a", None]


@pytest.mark.parametrize("header", ["@classLabel false\n", ""])
def test_files_without_labels(read, header):
    found = read(f"@univariate false\n{header}@data\n1,2:3,4\n5:6\n")
    assert values(found) == [[[1, 3], [2, 4]], [[5, 6]]]
    assert found.labels is None


def test_question_marks_at_the_end_are_length(read):
    found = read(PLAIN.format("false", "1,2,?,?\n3,NaN,?,?\n1,2,3,4"))
    assert values(found) == [[[1], [2]], [[3]], [[1], [2], [3], [4]]]
    both = read("@dimensions 2\n@equalLength true\n@seriesLength 3\n@data\n1,2,?:3,4,?\n1,2,3:3,4,5\n")
    assert both.lengths.tolist() == [2, 3]


def test_encodings_and_line_ends(read):
    for content in (
        b"\xef\xbb\xbf" + TS.encode(),
        TS.encode("utf-16"),
        TS.replace("a comment", "Gr\u00f6\u00dfe").encode("latin-1"),
        TS.replace("\n", "\r\n").encode(),
        TS.replace("\n", "\r").encode(),
        TS.replace("@data", "@DATA").replace("@classLabel", "@classlabel").encode(),
        TS.rstrip("\n").encode() + b"\n\n  \n# the end\n",
    ):
        found = read(content)
        assert values(found) == VALUES
        assert found.labels.to_list() == ["Slow", "fast"]
    mixed = (
        "# Gr\u00f6\u00dfe\n".encode("latin-1") + PLAIN.format("true gro\u00df klein", "1:gro\u00df\n2:klein").encode()
    )
    assert read(mixed).labels.to_list() == ["gro\u00df", "klein"]


def test_time_stamps(read):
    found = read(STAMPED.format("(0,1.5),(2,2.5):(0,3),(2,4):up\n( 1 , 1 ):(1,2):down"))
    assert values(found) == [[[1.5, 3], [2.5, 4]], [[1, 2]]]
    assert found.labels.to_list() == ["up", "down"]
    dated = read(
        STAMPED.format(":".join(["(2024-01-31 13:30:00,1),(2024-02-01,2),(2024-02-02T00:00:01,?)"] * 2) + ":?")
    )
    assert values(dated) == [[[1, 1], [2, 2]]]


def test_targets_are_numbers_and_no_classes(read):
    found = read("@univariate true\n@targetLabel true\n@data\n1,2:0.25\n3,4:1e1\n5:?\n")
    assert found.labels.to_list() == [0.25, 10.0, None]
    with pytest.raises(DataError, match=r"holds 0.25 in .*expected classes, not measurements"):
        Labels.of(found.labels.head(2), Source("made.ts"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TS.replace(":1.5,2.5:fast", ":1.5:fast"), "line 13 of made.ts has channels of 1 (channel 1) to 2 values"),
        (TS.replace(":1.5,2.5:fast", ":fast"), "line 13 of made.ts has 2 parts divided by ':' where 3 were expected"),
        (TS.replace(":1.5,2.5:fast", ""), "line 13 of made.ts has 1 part divided by ':' where 3 were expected"),
        (TS.replace(":fast", ":"), "line 13 of made.ts ends in ':' without a label"),
        (TS.replace(":fast", ":Fast"), "line 13 of made.ts has the class 'Fast', which is not among those"),
        (TS.replace("4.0,", "4.0,x,"), "line 13 of made.ts holds 'x' at step 1 of channel 0: expected a number"),
        (TS.replace("4.0,", "4.0,,"), "line 13 of made.ts holds '' at step 1 of channel 0"),
        (TS.replace("4.0,5.0", "?,5.0"), "line 13 of made.ts has no finite number at step 0 of channel 0 (1 such in"),
        (TS.replace("4.0,5.0", "4.0,?"), "line 13 of made.ts has no finite number at step 1 of channel 0"),
        (TS.replace("4.0,5.0:1.5,2.5", "?,?:?,?"), "line 13 of made.ts holds no values but missing ones"),
        (TS.replace("@dimensions 2", "@dimensions two"), "line 7 of made.ts says 'two' of @dimensions"),
        (TS.replace("@classLabel true", "@classLabel yes"), "line 10 of made.ts says 'yes' of @classLabel"),
        (TS.replace("@problemName", "problemName"), "line 2 of made.ts stands above @data and does not begin with @"),
        (HEADER, "made.ts holds no recordings"),
        (HEADER.replace("@data\n", ""), "made.ts has no line @data"),
        ("", "made.ts has no line @data"),
        (b"\x00\xff\x12\x88", "stands above @data"),
        (PLAIN.format("false", "1,2:a"), "line 4 of made.ts has 2 parts divided by ':' where 1 were expected"),
        ("@data\n1,2:a\n", "write `@classLabel true` above where it is the class"),
        ("@data\n(0,1)\n", "with times in parentheses write `@timeStamps true` above"),
        (
            "@equalLength true\n@data\n1,2,3\n1,2\n",
            "line 4 of made.ts has 2 values in each channel where 3 were expected",
        ),
        (STAMPED.format("(0,1),(0,2):(0,1),(0,2):up"), "goes on from the time 0 to 0"),
        (STAMPED.format("(0,1),(1,2):(0,1),(2,2):up"), "line 5 of made.ts gives channel 1 other times than channel 0"),
        (STAMPED.format("(0,1),(1,2"), "has 1 part divided by ':'"),
        (STAMPED.format("(0,1),(1,2:up"), "line 5 of made.ts, channel 0, is not made of (time,value) pairs"),
        (STAMPED.format("(soon,1):up"), "line 5 of made.ts, channel 0, has the time 'soon'"),
        ("@targetLabel true\n@data\n1,2:high\n", "line 3 of made.ts has the target 'high': expected a number"),
    ],
)
def test_what_is_wrong_is_said_by_its_line(read, content, words):
    with pytest.raises(DataError, match=re.escape(words)) as raised:
        read(content)
    assert "\n" not in str(raised.value)


def test_the_remedies_help(read):
    assert len(read("@equalLength false\n@data\n1,2,3\n1,2\n")) == 2
    assert read("@classLabel true\n@data\n1,2:a\n").labels.to_list() == ["a"]
    assert read("@timeStamps true\n@data\n(0,1)\n").lengths.tolist() == [1]
    assert read("@classLabel true\n@data\n1,2:high\n").labels.to_list() == ["high"]
    assert read(PLAIN.format("true a", "1,2:?")).labels.to_list() == [None]


def test_options_that_a_file_does_not_have(read):
    with pytest.raises(DataError, match=r"has no groups, as .ts files have none"):
        read(TS, group="who")
    with pytest.raises(ConfigError, match=r"`array` \(`--array`, ='Y'\) names an array of an .npz file, and made.ts"):
        read(TS, array="Y")
