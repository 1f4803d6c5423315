#!/usr/bin/python3
"""Writes the IR tests of every builtin: builtins/NAME.ll for its lowering, reject/NAME.ll for wrong declarations.

Everything expected follows from spec/ws_builtins.def, spec/ws_layouts.def and the rules of spec/codegen.md and
spec/abi.md, never from the output of the code generator. tests/ir/builtins has five builtins by hand, each beside its
Osprey source.

Usage: generate.py ROOT OUTPUT STAMP
"""
import pathlib
import sys

ROOT, OUTPUT, STAMP = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
sys.path.insert(0, str(ROOT / "spec"))
from ws_tables import Tables  # noqa: E402

CONFIG = """\
import os
lit_config.load_config(config, {source!r})
config.name += ", from the tables"
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.test_exec_root, "generated")
"""

LOWERED = """\
; CG-1 CG-2 CG-3 CG-4 CG-15 CG-18 ABI-5 ABI-6: {name} is declared with typed pointers by its name, and with opaque
; pointers by its alias. BEFORE is the input, AFTER the lowered module, OPT the module after -O2.
; RUN: %opt -passes=verify -S %s | %FileCheck %s --check-prefix=BEFORE
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s --check-prefix=AFTER
; RUN: %lower %s | %opt -passes='default<O2>,verify' -S | %FileCheck %s --check-prefix=OPT

declare {typed_block}* @{name}({typed_types})
declare ptr @{alias}({types})
{declare_handler}
; BEFORE: declare ptr @{name}({types})
; BEFORE: declare ptr @{alias}({types})
{cell}
{bodies}
; The caller reads the discriminant only. -O2 leaves no block.
define i8 @by_name({typed_named}) {{
  %r = call {typed_block}* @{name}({typed_named})
  %field = getelementptr {typed_block}, {typed_block}* %r, i32 0, i32 1
  %discriminant = load i8, i8* %field
  ret i8 %discriminant
}}
; AFTER-LABEL: define i8 @by_name(
{compared}; AFTER-NEXT: %r = call ptr @{name}({adapted})
; OPT-LABEL: define {{{{.*}}}}i8 @by_name(
; OPT-NOT: @osp_alloc_tagged
; OPT: call {{{{.*}}}}@{symbol}({optimized}ptr {{{{.*}}}}%[[ERROR:[a-z0-9.]+]])
; OPT-NOT: @osp_alloc_tagged
; OPT: %[[FAILURE:[a-z0-9.]+]] = load ptr, ptr %[[ERROR]], align 8
; OPT-NEXT: %[[FAILED:[a-z0-9.]+]] = icmp ne ptr %[[FAILURE]], null
; OPT-NEXT: %[[D:[a-z0-9.]+]] = zext i1 %[[FAILED]] to i8
; OPT-NOT: @osp_alloc_tagged
; OPT: ret i8 %[[D]]

; CG-27: without a block, the value and the message are all there is.
declare {typed_pair} @{name}.unboxed({typed_types})
define {typed_pair} @unboxed({typed_named}) {{
  %r = call {typed_pair} @{name}.unboxed({typed_named})
  ret {typed_pair} %r
}}
; AFTER-LABEL: define linkonce_odr hidden noundef {pair} @{name}.unboxed(
; AFTER-SAME: {marked}) unnamed_addr #[[#]] comdat {{
; AFTER-NEXT: entry:
; AFTER-NEXT: %error = alloca ptr, align 8
; AFTER-NEXT: %answer = call {answer_type} @{symbol}({named_comma}ptr %error)
; AFTER-NEXT: %failure = load ptr, ptr %error, align 8
; AFTER-NEXT: %answered = insertvalue {pair} poison, {answer_type} %answer, 0
; AFTER-NEXT: %unboxed = insertvalue {pair} %answered, ptr %failure, 1
; AFTER-NEXT: ret {pair} %unboxed
; AFTER-NEXT: }}

; The block is returned. A handler is passed as a raw function.
define ptr @by_alias({raw_parameters}) {{
  %r = call ptr @{alias}({raw_arguments})
  ret ptr %r
}}
; AFTER-LABEL: define ptr @by_alias(
; AFTER-NEXT: %r = call ptr @{alias}({cell_arguments})
; OPT-LABEL: define {{{{.*}}}}ptr @by_alias(
; OPT: call {{{{.*}}}}@{symbol}({optimized_cell}ptr {{{{.*}}}})
; OPT: %[[R:[a-z0-9.]+]] = {{{{.*}}}}call {{{{.*}}}}@osp_alloc_tagged(i64 {size}, i64 {meta})
{returned}

{forwarder}
; AFTER: declare noundef {extended}{answer_type} @{symbol}({attributes}ptr [[$SLOT]]) #[[#$ENTRY:]]
; AFTER: attributes #[[#$ENTRY]] = {{ {effects} }}
"""

BODY = """\
; AFTER-LABEL: define linkonce_odr hidden {noalias}noundef nonnull align 8 dereferenceable({size}) ptr @{function}(
; AFTER-SAME: {marked}) unnamed_addr #[[#]] comdat {{
; AFTER-NEXT: entry:
; AFTER-NEXT: %error = alloca ptr, align 8
; AFTER-NEXT: {answer} = call {answer_type} @{symbol}({named_comma}ptr %error)
; AFTER-NEXT: %failure = load ptr, ptr %error, align 8
{rest}
; AFTER-NEXT: }}
"""

# The rest of a body with a value, and without one. A success without a value is one constant block.
VALUE = """\
; AFTER-NEXT: %failed = icmp ne ptr %failure, null
; AFTER-NEXT: %discriminant = zext i1 %failed to i8
; AFTER-NEXT: %result = call ptr @osp_alloc_tagged(
; AFTER-SAME: i64 ptrtoint (ptr getelementptr ({block}, ptr null, i32 1) to i64), i64 {meta})
; AFTER-NEXT: store {answer_type} %answer, ptr %result, align 8
; AFTER-NEXT: %result.discriminant = getelementptr [[$INBOUNDS]] {block}, ptr %result, i32 0, i32 1
; AFTER-NEXT: store i8 %discriminant, ptr %result.discriminant, align 1
; AFTER-NEXT: %result.message = getelementptr [[$INBOUNDS]] {block}, ptr %result, i32 0, i32 2
; AFTER-NEXT: store ptr %failure, ptr %result.message, align 8
; AFTER-NEXT: ret ptr %result"""

UNIT = """\
; AFTER-NEXT: %succeeded = icmp eq ptr %failure, null
; AFTER-NEXT: br i1 %succeeded, label %success, label %failed
; AFTER: success:
; AFTER-NEXT: ret ptr @osp_ws.success
; AFTER: failed:
; AFTER-NEXT: %result = call ptr @osp_alloc_tagged(
; AFTER-SAME: i64 ptrtoint (ptr getelementptr ({block}, ptr null, i32 1) to i64), i64 {meta})
; AFTER-NEXT: store i64 0, ptr %result, align 8
; AFTER-NEXT: %result.discriminant = getelementptr [[$INBOUNDS]] {block}, ptr %result, i32 0, i32 1
; AFTER-NEXT: store i8 1, ptr %result.discriminant, align 1
; AFTER-NEXT: %result.message = getelementptr [[$INBOUNDS]] {block}, ptr %result, i32 0, i32 2
; AFTER-NEXT: store ptr %failure, ptr %result.message, align 8
; AFTER-NEXT: ret ptr %result"""

CONSTANT = """
; AFTER: @osp_ws.success = linkonce_odr hidden unnamed_addr constant {block} zeroinitializer, comdat,
"""

FORWARDER = """
; ABI-8: the forwarder drops the cell.
; AFTER-LABEL: define internal ptr @osp_ws.forward.on(ptr %cell, {parameters}) unnamed_addr #[[#]] {{
; AFTER-NEXT: entry:
; AFTER-NEXT: %result = tail call ptr @on({parameters})
; AFTER-NEXT: ret ptr %result
; AFTER-NEXT: }}
"""

# A handler of unknown origin.
COMPARED = """\
; AFTER-NEXT: %cell = call ptr @osp_ws.to_cell(ptr %{handler})
"""

CELL = """
; AFTER: @osp_ws.cell.on = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.on }, align 8
"""

REJECTED = """\
; CG-8 LOWER-3: a wrong declaration of {name}, or of its alias, is refused. The error states both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s
; RUN: %refused %s

declare i64 @{name}({typed_types})
; CHECK: {name}.ll:[[#@LINE-1]]: error: '{name}' is declared as i64 ({types}), but the builtin's type is
; CHECK-SAME: {{{{^}}}} ptr ({types}): {name}({osprey}) -> Result<{result}, String>{{{{$}}}}
declare {typed_block}* @{alias}.unboxed({typed_types})
; CHECK: {name}.ll:[[#@LINE-1]]: error: '{alias}.unboxed' is declared as ptr ({types}), but the builtin's type is
; CHECK-SAME: {{{{^}}}} {pair} ({types}): {name}({osprey}) -> Result<{result}, String>{{{{$}}}}
declare {typed_block}* @{alias}({typed_types_comma}i32)
; CHECK: {name}.ll:[[#@LINE-1]]: error: '{alias}' is declared as ptr ({types_comma}i32), but the builtin's type is
; CHECK-SAME: {{{{^}}}} ptr ({types}): {name}({osprey}) -> Result<{result}, String>{{{{$}}}}
"""

# The attributes of an entry point that returns a string or a record (CG-18).
LOOKS_UP = "mustprogress nounwind willreturn"
MARKS = {"INT": "i64 noundef", "BOOL": "i1 noundef zeroext", "STRING": "ptr [[$STRING]]", "HANDLER": "ptr [[$CELL]]"}


def typed(ir):
    return ir.replace("ptr", "i8*")


def joined(words):
    return ", ".join(words)


def comma(text):
    return text + ", " if text else ""


def texts(tables, builtin):
    """The fields of the templates."""
    kinds = [tables.kind(of) for _, of in builtin.parameters]
    irs = [tables.ir_type(of) for _, of in builtin.parameters]
    names = [name for name, _ in builtin.parameters]
    marks = [MARKS.get(kind, f"ptr [[${of}]]") for kind, (_, of) in zip(kinds, builtin.parameters)]
    handler = next((tables.handlers[of] for _, of in builtin.parameters if of in tables.handlers), None)
    block = tables.result_layout(builtin.result)
    size = -(-block.size // 8) * 8

    def arguments(handler_name, between=""):
        return joined(f"{ir} {between}{handler_name if kind == 'HANDLER' and handler_name else '%' + name}"
                      for ir, kind, name in zip(irs, kinds, names))

    named = joined(f"{ir} %{name}" for ir, name in zip(irs, names))
    types = joined(irs)
    succeeds = builtin.result == "SUCCESS"
    text = dict(
        name=builtin.name, alias=builtin.alias, symbol=builtin.symbol, types=types, typed_types=typed(types),
        types_comma=comma(types), typed_types_comma=comma(typed(types)), named=named, named_comma=comma(named),
        typed_named=typed(named), osprey=tables.parameters(builtin), result=tables.osprey(builtin.result),
        pair=f"{{ {tables.ir_type(builtin.result)}, ptr }}",
        typed_pair=typed(f"{{ {tables.ir_type(builtin.result)}, ptr }}"), block=block.ir,
        typed_block=typed(block.ir), size=size, meta=block.meta,
        answer_type=tables.ir_type(builtin.result), answer="%[[#]]" if succeeds else "%answer",
        noalias="" if succeeds else "noalias ",
        returned="; OPT: phi ptr [ {{.*}}@osp_ws.success, {{.*}} ]" if succeeds else "; OPT: ret ptr %[[R]]",
        marked=joined(f"{mark} %{name}" for mark, name in zip(marks, names)),
        attributes=comma(joined(marks)), raw_arguments=arguments("@on"),
        raw_parameters=joined(f"{ir} %{name}" for ir, kind, name in zip(irs, kinds, names) if kind != "HANDLER"),
        cell_arguments=arguments("@osp_ws.cell.on"), optimized=comma(arguments("%{{.*}}", "{{.*}}")),
        adapted=arguments("%cell"), compared="",
        optimized_cell=comma(arguments("@osp_ws.cell.on", "{{.*}}")), cell=CELL if handler else "",
        declare_handler="", forwarder="", extended="zeroext " if builtin.result == "BOOL" else "",
        effects=LOOKS_UP if tables.kind(builtin.result) in ("STRING", "RECORD") else "nounwind")
    text["rest"] = (UNIT if succeeds else VALUE).format(**text)
    text["cell"] += CONSTANT.format(**text) if succeeds else ""
    if handler:
        parameters = joined(f"{tables.ir_type(of)} %{name}" for name, of in handler)
        handler_types = typed(joined(tables.ir_type(of) for _, of in handler))
        handler_block = typed(tables.result_layout("SUCCESS").ir)
        text["compared"] = COMPARED.format(handler=names[kinds.index("HANDLER")])
        text["declare_handler"] = f"declare {handler_block}* @on({handler_types})\n"
        text["forwarder"] = FORWARDER.format(parameters=parameters)
    text["bodies"] = "\n".join(BODY.format(function=function, **text) for function in (builtin.name, builtin.alias))
    return text


def main():
    tables = Tables(ROOT)
    written = {OUTPUT / "lit.cfg.py": CONFIG.format(source=str(ROOT / "tests/ir/lit.cfg.py"))}
    for builtin in tables.builtins:
        text = texts(tables, builtin)
        written[OUTPUT / "builtins" / f"{builtin.name}.ll"] = LOWERED.format(**text)
        written[OUTPUT / "reject" / f"{builtin.name}.ll"] = REJECTED.format(**text)
    for stale in set(OUTPUT.rglob("*.ll")) - set(written):
        stale.unlink()
    for path, content in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    STAMP.write_text(f"{len(tables.builtins)} builtins\n")


main()
