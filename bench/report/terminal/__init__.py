"""What the commands print: a summary that answers in a screen, all tables on demand, and the advice in sentences.

Lines of text, made of a run's numbers; nothing is drawn, and nothing is printed from here.
"""
