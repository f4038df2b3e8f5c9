"""Turns what a terminal was sent, on standard input, into a page of HTML: terminal.py COMMAND

Knows the colours of 24 bits, bold and underlined, which is what our programs use.
"""
import html
import re
import sys

PAGE = """<!doctype html><meta charset="utf-8">
<body style="margin:0;background:#1c1c1c"><pre style="display:inline-block;margin:0;padding:14px 18px;
background:#1c1c1c;color:#d8d8d8;font:15px/1.3 'DejaVu Sans Mono'">{}</pre></body>
"""


def style(codes):
    """The CSS of the codes between ESC [ and m."""
    words = {'1': 'font-weight:bold', '2': 'opacity:.7', '4': 'text-decoration:underline'}
    numbers, css = codes.split(';'), []
    while numbers:
        number = numbers.pop(0)
        if number in ('38', '48') and numbers[:1] == ['2']:
            what = 'color' if number == '38' else 'background'
            css.append(f'{what}:rgb({",".join(numbers[1:4])})')
            del numbers[:4]
        elif number in words:
            css.append(words[number])
    return ';'.join(css)


def to_html(text):
    parts, opened = [], ''
    for i, piece in enumerate(re.split(r'\x1b\[([0-9;]*)m', text)):
        if i % 2 == 0:
            parts.append(html.escape(piece) if not opened else f'<span style="{opened}">{html.escape(piece)}</span>')
        elif piece in ('', '0'):
            opened = ''
        else:
            opened = ';'.join(filter(None, [opened, style(piece)]))
    return ''.join(parts)


shown = sys.stdin.read().replace('\r', '')
print(PAGE.format(to_html(f'$ {sys.argv[1]}\n{shown}'.rstrip())))
