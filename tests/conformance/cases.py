"""The conformance cases. Each cases_*.py adds its own."""


class Case:
    def __init__(self, group, title, script, **needs):
        self.group, self.title, self.script = group, title, script
        self.offer = needs.get("offer")           # permessage-deflate parameters of the test peer
        self.raw = needs.get("raw", False)        # the script performs the handshake
        self.roles = needs.get("roles", ("server", "client"))
        self.name = ""


class Group:
    """Numbers its cases: 2.1, 2.2, ..."""
    everything = []

    def __init__(self, number, subject):
        self.number, self.subject, self.count = number, subject, 0

    def add(self, title, script, **needs):
        self.count += 1
        case = Case(self, title, script, **needs)
        case.name = f"{self.number}.{self.count}"
        Group.everything.append(case)

    def case(self, title, **needs):
        """Decorates a script."""
        def decorate(script):
            self.add(title, script, **needs)
            return script
        return decorate
