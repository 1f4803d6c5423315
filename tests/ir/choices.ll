; CG-5: plain functions that reach a handler operand through memory, functions of the module and odd constants. What is
; not known to be a cell is compared.
; RUN: %lower %s -o %t.ll && %opt -passes='default<O2>,verify' -S %t.ll -o %t.opt
; RUN: %opt -passes=verify -S %t.ll | %FileCheck %s
; RUN: %FileCheck %s --check-prefix=OPT --implicit-check-not='@osp_ws_connect({{.*}}@h' < %t.opt

target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare ptr @wsConnect(ptr, ptr)
declare ptr @h1(ptr)
declare ptr @h2(ptr)
declare ptr @h3(ptr)
declare ptr @h4(ptr)
declare ptr @code(ptr, ptr)
declare void @use(ptr)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare ptr @llvm.threadlocal.address.p0(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
@table = internal constant [4 x ptr] [ptr @h1, ptr @h2, ptr @h3, ptr @h4]
@rows = constant [2 x { ptr, ptr }] [{ ptr, ptr } { ptr @text, ptr @h1 }, { ptr, ptr } { ptr @text, ptr @h2 }]
@text = private constant [2 x i8] c"t\00"
@variable = internal global ptr null
@cell = private constant { ptr } { ptr @code }
@cells = constant [2 x ptr] [ptr @cell, ptr null]
@resolved = ifunc ptr (ptr), ptr @resolve
define ptr @resolve() {
  ret ptr @h1
}

; The table of a switch, as SimplifyCFG makes it.
define void @from_a_table(ptr %u, i64 %n) {
  %p = getelementptr inbounds [4 x ptr], ptr @table, i64 0, i64 %n
  %h = load ptr, ptr %p
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @from_a_table(
; CHECK: %cell = call ptr @osp_ws.to_cell(ptr %h)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr %cell)

; The other fields of a row are not handlers.
define void @from_a_row(ptr %u, i64 %n) {
  %p = getelementptr inbounds [2 x { ptr, ptr }], ptr @rows, i64 0, i64 %n
  %q = getelementptr inbounds { ptr, ptr }, ptr %p, i32 0, i32 1
  %h = load ptr, ptr %q
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @from_a_row(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define void @from_a_constant(ptr %u) {
  %h = load ptr, ptr getelementptr (i8, ptr @rows, i64 24)
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @from_a_constant(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; As clang -O0 writes it: parameters and variables in memory.
define internal void @passes_on(ptr %u, ptr %given) {
  %u.addr = alloca ptr
  %h = alloca ptr
  store ptr %u, ptr %u.addr
  store ptr %given, ptr %h
  %v = load ptr, ptr %u.addr
  %w = load ptr, ptr %h
  %r = call ptr @wsConnect(ptr %v, ptr %w)
  ret void
}
define void @gives(ptr %u) {
  call void @passes_on(ptr %u, ptr @h1)
  call void @passes_on(ptr %u, ptr @cell)
  ret void
}
; CHECK-LABEL: define internal void @passes_on(
; CHECK: call ptr @osp_ws.to_cell(ptr %w)

define void @from_a_local_array(ptr %u, i64 %n) {
  %a = alloca { i64, [2 x ptr] }
  call void @llvm.memcpy.p0.p0.i64(ptr %a, ptr @cells, i64 16, i1 false)
  %s = getelementptr { i64, [2 x ptr] }, ptr %a, i32 0, i32 1, i64 1
  store ptr @h3, ptr %s
  %p = getelementptr { i64, [2 x ptr] }, ptr %a, i32 0, i32 1, i64 %n
  %h = load ptr, ptr %p
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @from_a_local_array(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define void @sets(i1 %c) {
  %h = select i1 %c, ptr @h1, ptr @h2
  store ptr %h, ptr @variable
  ret void
}
define void @from_a_variable(ptr %u) {
  %h = load ptr, ptr @variable
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @from_a_variable(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define internal ptr @gets(i64 %n) {
  %p = getelementptr inbounds [4 x ptr], ptr @table, i64 0, i64 %n
  %h = load ptr, ptr %p
  ret ptr %h
}
define void @from_a_function(ptr %u, i64 %n) {
  %h = call ptr @gets(i64 %n)
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @from_a_function(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define void @frozen(ptr %u, i1 %c) {
  %s = select i1 %c, ptr @h1, ptr @h2
  %h = freeze ptr %s
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @frozen(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define void @odd_constants(ptr %u) {
  %a = call ptr @wsConnect(ptr %u, ptr dso_local_equivalent @h1)
  %b = call ptr @wsConnect(ptr %u, ptr no_cfi @h1)
  %c = call ptr @wsConnect(ptr %u, ptr @resolved)
  ret void
}
; CHECK-LABEL: define void @odd_constants(
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @osp_ws.cell.h1)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @osp_ws.cell.h1)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @osp_ws.cell.resolved)

; Cells that come from elsewhere are compared too: nothing tells them from functions before the program runs.
define void @cells_from_elsewhere(ptr %u, ptr %slot, i64 %n, i1 %c) {
  %p = getelementptr inbounds [2 x ptr], ptr @cells, i64 0, i64 %n
  %a = load ptr, ptr %p
  %ra = call ptr @wsConnect(ptr %u, ptr %a)
  %b = load ptr, ptr %slot
  %s = select i1 %c, ptr %a, ptr %b
  %rb = call ptr @wsConnect(ptr %u, ptr %s)
  %v = alloca ptr
  store ptr @h1, ptr %slot
  store ptr %b, ptr %v
  call void @use(ptr %v)
  %d = load ptr, ptr %v
  %rd = call ptr @wsConnect(ptr %u, ptr %d)
  ret void
}
; CHECK-LABEL: define void @cells_from_elsewhere(
; CHECK: call ptr @osp_ws.to_cell(ptr %a)
; CHECK: call ptr @osp_ws.to_cell(ptr %s)
; CHECK: call ptr @osp_ws.to_cell(ptr %d)

declare i32 @__CxxFrameHandler3(...)
; A pointer to a row, which a loop moves; the handler is beside a text and a function of another type.
@wide = constant [2 x { ptr, ptr, ptr }] [{ ptr, ptr, ptr } { ptr @text, ptr @h1, ptr @code },
  { ptr, ptr, ptr } { ptr @text, ptr @h2, ptr @code }]
define void @moves(ptr %u, i1 %c) {
entry:
  %at = alloca ptr
  store ptr @wide, ptr %at
  br label %loop
loop:
  %p = load ptr, ptr %at
  %next = getelementptr { ptr, ptr, ptr }, ptr %p, i64 1
  store ptr %next, ptr %at
  %q = getelementptr { ptr, ptr, ptr }, ptr %p, i32 0, i32 1
  %h = load ptr, ptr %q
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  br i1 %c, label %loop, label %end
end:
  ret void
}
; CHECK-LABEL: define void @moves(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; A structure that is passed by value, and copied.
define internal void @takes(ptr %u, ptr byval({ ptr, ptr, ptr }) %row) {
  %copy = alloca { ptr, ptr, ptr }
  call void @llvm.memcpy.p0.p0.i64(ptr %copy, ptr %row, i64 24, i1 false)
  %q = getelementptr { ptr, ptr, ptr }, ptr %copy, i32 0, i32 1
  %h = load ptr, ptr %q
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
define void @hands_over(ptr %u) {
  %row = alloca { ptr, ptr, ptr }
  call void @llvm.memcpy.p0.p0.i64(ptr %row, ptr @wide, i64 24, i1 false)
  call void @takes(ptr %u, ptr byval({ ptr, ptr, ptr }) %row)
  ret void
}
; CHECK-LABEL: define internal void @takes(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; A builtin among the arguments of its own call.
define void @itself(i1 %c) {
  %s = select i1 %c, ptr @h1, ptr @h2
  %r = call ptr @wsConnect(ptr @wsConnect, ptr %s)
  ret void
}
; CHECK-LABEL: define void @itself(
; CHECK: %cell = call ptr @osp_ws.to_cell(ptr %s)
; CHECK-NEXT: call ptr @wsConnect(ptr @wsConnect, ptr %cell)

; Clearing a variable writes no function.
define void @cleared(ptr %u, i1 %c) {
  %row = alloca { ptr, ptr }
  call void @llvm.memset.p0.i64(ptr %row, i8 0, i64 16, i1 false)
  %q = getelementptr { ptr, ptr }, ptr %row, i32 0, i32 1
  store ptr @h1, ptr %q
  %h = load ptr, ptr %q
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @cleared(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; A structure that a function of the module fills, and one that hands it on.
define internal void @fills(ptr sret({ ptr, ptr, ptr }) %row, i1 %c) {
  %q = getelementptr { ptr, ptr, ptr }, ptr %row, i32 0, i32 1
  %h = select i1 %c, ptr @h1, ptr @h2
  store ptr %h, ptr %q
  br i1 %c, label %again, label %end
again:
  call void @fills(ptr sret({ ptr, ptr, ptr }) %row, i1 false)
  br label %end
end:
  ret void
}
define void @filled(ptr %u, i1 %c) {
  %row = alloca { ptr, ptr, ptr }
  call void @fills(ptr sret({ ptr, ptr, ptr }) %row, i1 %c)
  %q = getelementptr { ptr, ptr, ptr }, ptr %row, i32 0, i32 1
  %h = load ptr, ptr %q
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @filled(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; Pointers as integers, which LLVM copies a structure of 8 bytes by.
@numbers = internal constant [2 x i64] [i64 ptrtoint (ptr @h1 to i64), i64 ptrtoint (ptr @h2 to i64)]
define void @integers(ptr %u, i64 %n) {
  %one = alloca i64
  %two = alloca ptr
  store ptr @h2, ptr %one
  %i = load i64, ptr %one
  store i64 %i, ptr %two
  %h = load ptr, ptr %two
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  %j = ptrtoint ptr @h1 to i64
  %g = inttoptr i64 %j to ptr
  %q = call ptr @wsConnect(ptr %u, ptr %g)
  %at = getelementptr i64, ptr @numbers, i64 %n
  %k = load i64, ptr %at
  %f = inttoptr i64 %k to ptr
  %p = call ptr @wsConnect(ptr %u, ptr %f)
  ret void
}
; CHECK-LABEL: define void @integers(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK: call ptr @osp_ws.to_cell(ptr %g)
; CHECK: call ptr @osp_ws.to_cell(ptr %f)

; A variable of the thread.
@current = internal thread_local global ptr @h1
define void @of_the_thread(ptr %u) {
  %at = call ptr @llvm.threadlocal.address.p0(ptr @current)
  store ptr @h2, ptr %at
  %from = call ptr @llvm.threadlocal.address.p0(ptr @current)
  %h = load ptr, ptr %from
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @of_the_thread(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; Atomic exchanges store too, and give what was stored before.
@exchanged = internal global ptr @cell
@compared = internal global i64 0
define void @exchanges(ptr %u) {
  %h = atomicrmw xchg ptr @exchanged, ptr @h1 seq_cst
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  %l = load ptr, ptr @exchanged
  %s = call ptr @wsConnect(ptr %u, ptr %l)
  %c = cmpxchg ptr @compared, i64 0, i64 ptrtoint (ptr @h2 to i64) seq_cst seq_cst
  %i = load atomic i64, ptr @compared seq_cst, align 8
  %p = inttoptr i64 %i to ptr
  %q = call ptr @wsConnect(ptr %u, ptr %p)
  ret void
}
; CHECK-LABEL: define void @exchanges(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK: call ptr @osp_ws.to_cell(ptr %l)
; CHECK: call ptr @osp_ws.to_cell(ptr %p)

; Members of aggregates.
define internal { ptr, { ptr, i64 } } @make(ptr %other) {
  %a = insertvalue { ptr, { ptr, i64 } } zeroinitializer, ptr %other, 0
  %b = insertvalue { ptr, { ptr, i64 } } %a, ptr @h1, 1, 0
  ret { ptr, { ptr, i64 } } %b
}
define internal void @take({ ptr, i64 } %pair, ptr %u) {
  %h = extractvalue { ptr, i64 } %pair, 0
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
define void @aggregates(ptr %u, ptr %other, i1 %c) {
  %all = call { ptr, { ptr, i64 } } @make(ptr %other)
  %pair = extractvalue { ptr, { ptr, i64 } } %all, 1
  %s = select i1 %c, { ptr, i64 } %pair, { ptr, i64 } { ptr @h2, i64 2 }
  call void @take({ ptr, i64 } %s, ptr %u)
  %g = extractvalue { ptr, { ptr, i64 } } %all, 0
  %r = call ptr @wsConnect(ptr %u, ptr %g)
  ret void
}
; CHECK-LABEL: define internal void @take(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK-LABEL: define void @aggregates(
; CHECK: call ptr @osp_ws.to_cell(ptr %g)

; Tables with members of every size.
@sized = internal constant [2 x { x86_fp80, bfloat, fp128, ptr }]
  [{ x86_fp80, bfloat, fp128, ptr } { x86_fp80 0xK00000000000000000000, bfloat 0.0,
     fp128 0xL00000000000000000000000000000000, ptr @h1 },
   { x86_fp80, bfloat, fp128, ptr } { x86_fp80 0xK00000000000000000000, bfloat 0.0,
     fp128 0xL00000000000000000000000000000000, ptr @h2 }]
@named = alias [2 x { x86_fp80, bfloat, fp128, ptr }], ptr @sized
@kept = internal global ptr null
@kept_too = internal alias ptr, ptr @kept
define void @sizes(ptr %u, i64 %n) {
  %p = getelementptr { x86_fp80, bfloat, fp128, ptr }, ptr @sized, i64 %n, i32 3
  %h = load ptr, ptr %p
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  %a = getelementptr { x86_fp80, bfloat, fp128, ptr }, ptr @named, i64 %n, i32 3
  %f = freeze ptr %a
  %g = load ptr, ptr %f
  %s = call ptr @wsConnect(ptr %u, ptr %g)
  store ptr @h3, ptr @kept_too
  %k = load ptr, ptr @kept
  %t = call ptr @wsConnect(ptr %u, ptr %k)
  ret void
}
; CHECK-LABEL: define void @sizes(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK: call ptr @osp_ws.to_cell(ptr %g)
; CHECK: call ptr @osp_ws.to_cell(ptr %k)

; Aggregates in memory, as clang -O0 passes structures of two registers.
define internal { ptr, ptr } @pair(i1 %c, ptr %other) {
  %v = alloca { ptr, ptr }
  %h = select i1 %c, ptr @h1, ptr @h2
  %a = insertvalue { ptr, ptr } poison, ptr %h, 0
  %b = insertvalue { ptr, ptr } %a, ptr %other, 1
  store { ptr, ptr } %b, ptr %v
  %l = load { ptr, ptr }, ptr %v
  ret { ptr, ptr } %l
}
define void @stored(ptr %u, i1 %c, ptr %other) {
  %v = alloca { i64, { ptr, ptr } }
  %p = call { ptr, ptr } @pair(i1 %c, ptr %other)
  %at = getelementptr { i64, { ptr, ptr } }, ptr %v, i32 0, i32 1
  store { ptr, ptr } %p, ptr %at
  %h = load ptr, ptr %at
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  %l = load { i64, { ptr, ptr } }, ptr %v
  %g = extractvalue { i64, { ptr, ptr } } %l, 1, 0
  %s = call ptr @wsConnect(ptr %u, ptr %g)
  %o = extractvalue { i64, { ptr, ptr } } %l, 1, 1
  %t = call ptr @wsConnect(ptr %u, ptr %o)
  %x = cmpxchg ptr %at, ptr null, ptr null seq_cst seq_cst
  %y = extractvalue { ptr, i1 } %x, 0
  %q = call ptr @wsConnect(ptr %u, ptr %y)
  ret void
}
; CHECK-LABEL: define void @stored(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK: call ptr @osp_ws.to_cell(ptr %g)
; CHECK: call ptr @osp_ws.to_cell(ptr %o)
; CHECK: call ptr @osp_ws.to_cell(ptr %y)

; Vectors, as the SLP vectorizer makes them.
define void @vectors(ptr %u, i32 %n, ptr %other) {
  %a = insertelement <2 x ptr> poison, ptr @h1, i32 0
  %b = insertelement <2 x ptr> %a, ptr %other, i32 1
  %v = alloca <2 x ptr>
  store <2 x ptr> %b, ptr %v
  %l = load <2 x ptr>, ptr %v
  %w = shufflevector <2 x ptr> <ptr @h2, ptr null>, <2 x ptr> %l, <3 x i32> <i32 3, i32 0, i32 2>
  %h = extractelement <3 x ptr> %w, i32 2
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  %o = extractelement <3 x ptr> %w, i32 0
  %s = call ptr @wsConnect(ptr %u, ptr %o)
  %x = extractelement <2 x ptr> <ptr @h1, ptr @h2>, i32 %n
  %t = call ptr @wsConnect(ptr %u, ptr %x)
  ret void
}
; CHECK-LABEL: define void @vectors(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK: call ptr @osp_ws.to_cell(ptr %o)
; CHECK: call ptr @osp_ws.to_cell(ptr %x)

; A call that returns its argument, and a function whose blocks have addresses.
declare ptr @identity(ptr returned)
define internal void @jumps(ptr %u, ptr %h) {
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  indirectbr ptr blockaddress(@jumps, %end), [label %end]
end:
  ret void
}
define void @returned(ptr %u) {
  %h = call ptr @identity(ptr @h1)
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  call void @jumps(ptr %u, ptr @h2)
  ret void
}
; CHECK-LABEL: define internal void @jumps(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK-LABEL: define void @returned(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; A function of the module that only reads a variable, and may unwind.
define internal void @reads(ptr %v) {
  %h = load ptr, ptr %v
  ret void
}
define void @invoked(ptr %u) personality ptr @__CxxFrameHandler3 {
  %v = alloca ptr
  store ptr @h1, ptr %v
  call void @llvm.assume(i1 true) [ "align"(ptr %v, i64 8) ]
  invoke void @reads(ptr %v) to label %end unwind label %pad
pad:
  %p = cleanuppad within none []
  cleanupret from %p unwind to caller
end:
  %h = load ptr, ptr %v
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
declare void @llvm.assume(i1)
; CHECK-LABEL: define void @invoked(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; A member that is replaced is not read.
define void @replaced(ptr %u, { ptr, ptr } %unknown) {
  %v = insertvalue { ptr, ptr } %unknown, ptr @h1, 0
  %h = extractvalue { ptr, ptr } %v, 0
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @replaced(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; The scalarizer begins a choice with poison.
define void @scalarized(ptr %u, i1 %c, i1 %d) {
  %s = select i1 %c, ptr @h1, ptr poison
  %h = select i1 %d, ptr @h2, ptr %s
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @scalarized(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; Pointers to tables: from a function, in a variable, in a vector, as an integer, by an alias, with a step.
@second = internal alias ptr, getelementptr ([4 x ptr], ptr @table, i64 0, i64 1)
@app = internal constant { i64, ptr } { i64 2, ptr @table }
@app_now = internal global ptr @app
@packed = internal constant <{ i8, [1 x { <2 x ptr> }] }> <{ i8 1, [1 x { <2 x ptr> }] [{ <2 x ptr> } { <2 x ptr> <ptr @h1, ptr @h2> }] }>
define internal ptr @table_for(i1 %c) {
  %t = select i1 %c, ptr @table, ptr @variable
  ret ptr %t
}
define void @tables(ptr %u, i64 %n, i1 %c) {
  %t0 = call ptr @table_for(i1 %c)
  %h0 = load ptr, ptr %t0
  %r0 = call ptr @wsConnect(ptr %u, ptr %h0)
  %v = alloca { i64, ptr }
  call void @llvm.memcpy.p0.p0.i64(ptr %v, ptr @app, i64 16, i1 false)
  %f = getelementptr { i64, ptr }, ptr %v, i64 0, i32 1
  %t1 = load ptr, ptr %f
  %p1 = getelementptr ptr, ptr %t1, i64 %n
  %h1 = load ptr, ptr %p1
  %r1 = call ptr @wsConnect(ptr %u, ptr %h1)
  %now = atomicrmw xchg ptr @app_now, ptr @app seq_cst
  %t2 = load ptr, ptr %now
  %h2 = load ptr, ptr %t2
  %r2 = call ptr @wsConnect(ptr %u, ptr %h2)
  %i = ptrtoint ptr @table to i64
  %j = add i64 %i, %n
  %p3 = inttoptr i64 %j to ptr
  %h3 = load ptr, ptr %p3
  %r3 = call ptr @wsConnect(ptr %u, ptr %h3)
  %s = insertelement <2 x i64> <i64 0, i64 1>, i64 %n, i64 1
  %g = getelementptr ptr, ptr @table, <2 x i64> %s
  %p4 = extractelement <2 x ptr> %g, i64 1
  %h4 = load ptr, ptr %p4
  %r4 = call ptr @wsConnect(ptr %u, ptr %h4)
  %t5 = call ptr @identity(ptr @table)
  %h5 = load ptr, ptr %t5
  %r5 = call ptr @wsConnect(ptr %u, ptr %h5)
  %h6 = load ptr, ptr @second
  %r6 = call ptr @wsConnect(ptr %u, ptr %h6)
  %p7 = getelementptr i8, ptr @packed, i64 9
  %h7 = load ptr, ptr %p7, align 1
  %r7 = call ptr @wsConnect(ptr %u, ptr %h7)
  ret void
}
; CHECK-LABEL: define void @tables(
; CHECK: call ptr @osp_ws.to_cell(ptr %h0)
; CHECK: call ptr @osp_ws.to_cell(ptr %h1)
; CHECK: call ptr @osp_ws.to_cell(ptr %h2)
; CHECK: call ptr @osp_ws.to_cell(ptr %h3)
; CHECK: call ptr @osp_ws.to_cell(ptr %h4)
; CHECK: call ptr @osp_ws.to_cell(ptr %h5)
; CHECK: call ptr @osp_ws.to_cell(ptr %h6)
; CHECK: call ptr @osp_ws.to_cell(ptr %h7)

; A variable that a function of the module sets, by a pointer that it keeps in its frame; one of two variables; a copy.
define internal void @sets_by_pointer(ptr %at, ptr %h) {
  %a = alloca ptr
  store ptr %at, ptr %a
  %l = load ptr, ptr %a
  store ptr %h, ptr %l
  ret void
}
@one = internal global ptr null
@two = internal global ptr null
define void @set_elsewhere(ptr %u, i1 %c) {
  call void @sets_by_pointer(ptr @one, ptr @h1)
  %h = load ptr, ptr @one
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  %at = select i1 %c, ptr @one, ptr @two
  store ptr @h2, ptr %at
  %g = load ptr, ptr @two
  %s = call ptr @wsConnect(ptr %u, ptr %g)
  %v = alloca ptr
  store ptr @h3, ptr %v
  call void @takes_a_copy(ptr %u, ptr byval(ptr) %v)
  ret void
}
define internal void @takes_a_copy(ptr %u, ptr byval(ptr) %v) {
  store ptr @h2, ptr %v
  %h = load ptr, ptr %v
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @set_elsewhere(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK: call ptr @osp_ws.to_cell(ptr %g)
; CHECK-LABEL: define internal void @takes_a_copy(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; A function or what comes from elsewhere.
declare ptr @get()
define void @either(ptr %u, i1 %c, ptr %parameter, ptr %slot) {
  %s = select i1 %c, ptr @h1, ptr %parameter
  %a = call ptr @wsConnect(ptr %u, ptr %s)
  store ptr @h1, ptr %slot
  call void @use(ptr %slot)
  %h = load ptr, ptr %slot
  %b = call ptr @wsConnect(ptr %u, ptr %h)
  %g = call ptr @get()
  %d = call ptr @wsConnect(ptr %u, ptr %g)
  %n = call ptr @naked(ptr @h1)
  %e = call ptr @wsConnect(ptr %u, ptr %n)
  %asm = call ptr asm "mov $1, $0", "=r,r"(ptr @h1)
  %f = call ptr @wsConnect(ptr %u, ptr %asm)
  ret void
}
define internal ptr @naked(ptr %h) naked {
  call void asm sideeffect "ret", ""()
  unreachable
}
; CHECK-LABEL: define void @either(
; CHECK: call ptr @osp_ws.to_cell(ptr %s)
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK: call ptr @osp_ws.to_cell(ptr %g)
; CHECK: call ptr @osp_ws.to_cell(ptr %n)
; CHECK: call ptr @osp_ws.to_cell(ptr %asm)

; Circles of unreachable code.
define void @circles(ptr %u) {
  ret void
dead:
  %a = bitcast ptr %b to ptr
  %b = bitcast ptr %a to ptr
  %c = getelementptr i8, ptr %c, i64 8
  %l = load ptr, ptr %c
  %s = select i1 true, ptr %s, ptr %s
  %r = call ptr @wsConnect(ptr %u, ptr %a)
  %q = call ptr @wsConnect(ptr %u, ptr %l)
  %t = call ptr @wsConnect(ptr %u, ptr %s)
  br label %dead
}
; CHECK-LABEL: define void @circles(

; After -O2 every operand is a cell or was one. (The implicit check: no entry point is given a function.)
; OPT: @osp_ws_connect(
