"""Claims: the rules, the sizes, the gate, sessions, and every published one."""
