#!/usr/bin/env python3
"""Files, headers and functions that fit a reader's head.

Files have at most 600 lines, public headers 300. A function above 100 lines argues for itself in a
comment that begins "long because:", and nine in ten of the product's are within 40. No tabs.
"""

import re

from source_tree import blank_noise, is_public_header, run, sources

MAX_FILE, MAX_PUBLIC_HEADER = 600, 300
MAX_FUNCTION, USUAL_FUNCTION, USUAL_SHARE = 100, 40, 0.9

_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")


def _opens_function(head):
    """Does the text between the last ; { or } and a { begin a function's body?"""
    if "(" not in head or _SCOPE.search(head.split("(")[0]):
        return False
    outside_parentheses, depth = "", 0
    for c in head:
        depth += (c == "(") - (c == ")")
        if depth == 0:
            outside_parentheses += c
    no_operator_names = re.sub(r"operator\s*[^\s\w(]+", "", outside_parentheses)
    return "=" not in no_operator_names


def functions(text):
    """(first line, last line) of every outermost function body, its signature included."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m.group()),
                  blank_noise(text), flags=re.MULTILINE)
    scopes, head_start, line, start = [], 0, 1, None
    for i, c in enumerate(code):
        if c == "\n":
            line += 1
        elif c == "{":
            head = code[head_start:i]
            is_function = start is None and _opens_function(head)
            if is_function:
                start = line - head.lstrip().count("\n")
            scopes.append(is_function)
            head_start = i + 1
        elif c == "}":
            if scopes and scopes.pop():
                yield start, line
                start = None
            head_start = i + 1
        elif c == ";":
            head_start = i + 1


def check(root):
    product = []
    for path in sources(root):
        text = (root / path).read_text()
        lines = text.split("\n")
        count = len(lines) - 1
        limit = MAX_PUBLIC_HEADER if is_public_header(path) else MAX_FILE
        if count > limit:
            yield f"{path}:{limit + 1}: {count} lines; {limit} are allowed"
        for number, line in enumerate(lines, 1):
            if "\t" in line:
                yield f"{path}:{number}: a tab"
        for first, last in functions(text):
            length = last - first + 1
            if path.parts[0] != "tests":
                product.append(length)
            argued = "long because:" in "\n".join(lines[max(0, first - 11):last])
            if length > MAX_FUNCTION and not argued:
                yield (f"{path}:{first}: a function of {length} lines; split it, or say why in a "
                       f"comment that begins \"long because:\"")
    usual = sum(n <= USUAL_FUNCTION for n in product)
    if product:
        print(f"{len(product)} functions, {100 * usual / len(product):.1f} % within "
              f"{USUAL_FUNCTION} lines, longest {max(product)}")
    if usual < USUAL_SHARE * len(product):
        yield (f"model: only {usual} of {len(product)} functions are within {USUAL_FUNCTION} lines; "
               f"nine in ten should be")


if __name__ == "__main__":
    run(check)
