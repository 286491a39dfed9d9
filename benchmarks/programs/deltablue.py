"""An incremental solver for one-way constraints, in the spirit of DeltaBlue.

Constraints have strengths. Adding one may override weaker ones, removing one lets others in
again, and a plan is the order in which satisfied constraints must be executed after an edit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

DEFAULT_N = 610
CHAIN = 60

REQUIRED, STRONG, PREFERRED, NORMAL, WEAK, WEAKEST = range(6)


class Variable:
    """A value, the constraint that determines it, and how strongly it is held."""

    def __init__(self, name: str, value: int) -> None:
        self.name = name
        self.value = value
        self.users: list[Constraint] = []
        self.source: Constraint | None = None
        self.mark = 0
        self.strength = WEAKEST
        self.constant = True


class Constraint:
    """One relation; `output` is the variable that it determines while it is satisfied."""

    def __init__(self, strength: int, variables: tuple[Variable, ...]) -> None:
        self.strength = strength
        self.variables = variables
        self.output: Variable | None = None

    def choose(self, mark: int) -> None:
        raise NotImplementedError

    def execute(self) -> None:
        """Compute the output; a constraint on a single variable has nothing to compute."""

    def is_input(self) -> bool:
        return False

    def inputs(self) -> Iterator[Variable]:
        for variable in self.variables:
            if variable is not self.output:
                yield variable

    def can_override(self, variable: Variable, mark: int) -> bool:
        return variable.mark != mark and self.strength < variable.strength

    def inputs_known(self, mark: int) -> bool:
        for variable in self.inputs():
            if variable.mark == mark or variable.constant or variable.source is None:
                continue
            return False
        return True

    def recalculate(self) -> None:
        output = self.output
        assert output is not None
        strength, constant = self.strength, not self.is_input()
        for variable in self.inputs():
            strength = max(strength, variable.strength)
            constant = constant and variable.constant
        output.strength = strength
        output.constant = constant
        if constant:
            self.execute()


class Stay(Constraint):
    """A variable should keep its value."""

    def choose(self, mark: int) -> None:
        variable = self.variables[0]
        self.output = variable if self.can_override(variable, mark) else None


class Edit(Stay):
    """A variable gets its value from outside."""

    def is_input(self) -> bool:
        return True


class Linear(Constraint):
    """second = first * factor + offset, usable in both directions."""

    def __init__(
        self, strength: int, first: Variable, second: Variable, factor: int = 1, offset: int = 0
    ) -> None:
        super().__init__(strength, (first, second))
        self.factor = factor
        self.offset = offset

    def choose(self, mark: int) -> None:
        first, second = self.variables
        if first.mark == mark:
            self.output = second if self.can_override(second, mark) else None
        elif second.mark == mark:
            self.output = first if self.can_override(first, mark) else None
        else:
            weaker = first if first.strength > second.strength else second
            self.output = weaker if self.can_override(weaker, mark) else None

    def execute(self) -> None:
        first, second = self.variables
        if self.output is second:
            second.value = first.value * self.factor + self.offset
        else:
            first.value = (second.value - self.offset) // self.factor


class Planner:
    """The graph of constraints, kept solved."""

    def __init__(self) -> None:
        self.mark = 0

    def new_mark(self) -> int:
        self.mark += 1
        return self.mark

    def add(self, constraint: Constraint) -> None:
        for variable in constraint.variables:
            variable.users.append(constraint)
        self.satisfy_all(constraint)

    def satisfy_all(self, constraint: Constraint) -> None:
        mark = self.new_mark()
        overridden = self.satisfy(constraint, mark)
        while overridden is not None:
            overridden = self.satisfy(overridden, mark)

    def satisfy(self, constraint: Constraint, mark: int) -> Constraint | None:
        """Enforce one constraint if it is strong enough; return the one that it displaced."""
        constraint.choose(mark)
        output = constraint.output
        if output is None:
            if constraint.strength == REQUIRED:
                raise ValueError("a required constraint can't be satisfied")
            return None
        for variable in constraint.inputs():
            variable.mark = mark
        overridden = output.source
        if overridden is not None:
            overridden.output = None
        output.source = constraint
        if not self.propagate(constraint, mark):
            raise ValueError("the constraints run in a circle")
        output.mark = mark
        return overridden

    def propagate(self, constraint: Constraint, mark: int) -> bool:
        todo = [constraint]
        while todo:
            current = todo.pop()
            output = current.output
            assert output is not None
            if output.mark == mark:
                return False
            current.recalculate()
            todo.extend(self.consumers(output))
        return True

    def consumers(self, variable: Variable) -> Iterator[Constraint]:
        """The satisfied constraints that use the value of this variable."""
        for user in variable.users:
            if user is not variable.source and user.output is not None:
                yield user

    def remove(self, constraint: Constraint) -> None:
        for variable in constraint.variables:
            variable.users.remove(constraint)
        output = constraint.output
        if output is None:
            return
        constraint.output = None
        candidates = self.unsettle(output)
        candidates.sort(key=lambda candidate: candidate.strength)
        for candidate in candidates:
            if candidate.output is None:
                self.satisfy_all(candidate)

    def unsettle(self, start: Variable) -> list[Constraint]:
        """Take the support away from a variable and all that follow it; who could step in?"""
        start.source = None
        start.strength = WEAKEST
        start.constant = True
        candidates: list[Constraint] = []
        todo = [start]
        while todo:
            variable = todo.pop()
            candidates.extend(user for user in variable.users if user.output is None)
            for consumer in self.consumers(variable):
                consumer.recalculate()
                assert consumer.output is not None
                todo.append(consumer.output)
        return candidates

    def plan_for(self, edits: list[Edit]) -> list[Constraint]:
        """The constraints to execute, in order, whenever the edited variables change."""
        todo: list[Constraint] = [edit for edit in edits if edit.output is not None]
        mark = self.new_mark()
        plan: list[Constraint] = []
        while todo:
            current = todo.pop()
            output = current.output
            assert output is not None
            if output.mark != mark and current.inputs_known(mark):
                plan.append(current)
                output.mark = mark
                todo.extend(self.consumers(output))
        return plan

    def change(self, variable: Variable, values: range) -> None:
        """Edit a variable again and again, with one plan for all the values."""
        edit = Edit(STRONG, (variable,))
        self.add(edit)
        plan = self.plan_for([edit])
        for value in values:
            variable.value = value
            for constraint in plan:
                constraint.execute()
        self.remove(edit)


def chain(length: int) -> int:
    """A long row of equalities, edited at its head and then at its tail."""
    planner = Planner()
    row = [Variable(f"v{i}", 0) for i in range(length)]
    for first, second in zip(row, row[1:], strict=False):
        planner.add(Linear(REQUIRED, first, second))
    planner.add(Stay(WEAK, (row[-1],)))
    planner.change(row[0], range(1, 21))
    if row[-1].value != 20:
        raise AssertionError("the end of the chain didn't follow its head")
    planner.change(row[-1], range(5))
    return row[0].value


def projection(size: int) -> int:
    """Many pairs that share one factor and offset, edited on both sides."""
    planner = Planner()
    pairs = []
    for i in range(size):
        source, target = Variable(f"s{i}", i), Variable(f"t{i}", 0)
        planner.add(Stay(NORMAL, (source,)))
        planner.add(Linear(REQUIRED, source, target, factor=3, offset=7))
        pairs.append((source, target))
    total = 0
    for source, target in pairs:
        planner.change(source, range(17, 20))
        if target.value != 19 * 3 + 7:
            raise AssertionError("the target didn't follow its source")
        planner.change(target, range(10, 40, 3))
        total += source.value
    return total


def run(n: int) -> int:
    """Solve both systems `n` times."""
    total = 0
    for _ in range(n):
        total += chain(CHAIN)
        total += projection(CHAIN)
    return total


def main(argv: list[str]) -> None:
    """Run N rounds and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
