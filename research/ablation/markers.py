"""Blocks of a Markdown file that a script writes; the prose around them is people's."""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import ParameterError

BEGIN, END = "<!-- generated -->", "<!-- /generated -->"


def write_block(path: Path, block: str) -> None:
    """Replace what stands between the markers of a file.

    Args:
        path: Markdown file with one pair of markers, each on a line of its own.
        block: Markdown to put between them.

    Raises:
        ParameterError: The file cannot be read or written, or has no one such pair.
    """
    try:
        path.write_text(with_block(path.read_text(encoding="utf-8"), block), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: cannot be rewritten ({error})") from error
    except ValueError as error:
        raise ParameterError(
            f"{path}: {error}; put them where the generated text belongs, each on a line of its own"
        ) from error


def with_block(text: str, block: str) -> str:
    """The text with another block between its markers.

    Raises:
        ValueError: There is not exactly one pair, in order.
    """
    lines = text.splitlines()
    begins, ends = ([i for i, x in enumerate(lines) if x.strip() == m] for m in (BEGIN, END))
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise ValueError(f"got {len(begins)} x {BEGIN} and {len(ends)} x {END}, wanted one each")
    parts = [*lines[: begins[0] + 1], "", block.strip("\n"), "", *lines[ends[0] :]]
    return "\n".join(parts) + "\n"


def markdown_table(rows: list[list[str]], left: int = 1) -> str:
    """Lay out a table, the first row its head; the first ``left`` columns to the left."""
    head, *body = [f"| {' | '.join(x.replace('|', chr(92) + '|') for x in row)} |" for row in rows]
    rule = "|" + "---|" * left + "---:|" * (len(rows[0]) - left)
    return "\n".join([head, rule, *body])
