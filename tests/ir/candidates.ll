; CG-5: a handler is compared with the functions, aliases and ifuncs of its type whose addresses the module takes.
; RUN: %lower - < %s > %t.ll && %opt -passes=verify -S %t.ll | %FileCheck %s --implicit-check-not='icmp eq ptr %handler'
; RUN: %lower - < %t.ll | diff %t.ll -
; What lowering added has the type of other handlers, and is compared with nothing.
; RUN: (cat %t.ll; echo 'define void @linked(ptr %m) {'; echo '  %r = call ptr @wsServerOnMessage(i64 1, ptr %m)'; \
; RUN:   echo '  ret void'; echo '}') | %lower - | %FileCheck %s --check-prefix=LINKED \
; RUN:   --implicit-check-not='icmp eq ptr %handler, @osp_ws'
; RUN: sed 's/^declare ptr @declared/declare amdgpu_ps ptr @declared/' %s | %lower - -S | %FileCheck %s --check-prefix=KERNEL
; RUN: sed '/^; BEGIN/,/^; END/d' %s | %lower - -S | %FileCheck %s --check-prefix=NONE

; KERNEL-NOT: icmp eq ptr %handler, @declared
target triple = "x86_64-unknown-linux-gnu"
declare ptr @wsAfter(i64, ptr)
declare ptr @wsServerOnMessage(i64, ptr)
declare ptr @wsClose(i64)
declare ptr @declared(i64)
declare ptr @called(i64)
declare ptr @called_by_another_name(i64)
declare i64 @of_another_type(i64)
declare ptr @message(ptr, ptr)
declare ptr @wsConnect(ptr, ptr)
declare ptr @text(ptr)
define void @later(i64 %n, ptr %h, ptr %m) {
  %r = call ptr @wsAfter(i64 %n, ptr %h)
  %s = call ptr @wsServerOnMessage(i64 %n, ptr %m)
  ret void
}
; BEGIN
@taken = constant [4 x ptr] [ptr @declared, ptr @of_another_type, ptr @wsClose, ptr null]
@distances = constant [1 x i64] [i64 ptrtoint (ptr @in_an_integer to i64)]
@resolved = ifunc ptr (i64), ptr @resolve
@used = constant ptr @resolved
@renamed = alias ptr (i64), ptr @behind
@table = constant { ptr } { ptr @renamed }
@of_data = alias i8, ptr @behind_data
define ptr @resolve() {
  ret ptr null
}
define ptr @behind(i64 %n) {
  ret ptr null
}
define ptr @behind_data(i64 %n) {
  ret ptr null
}
define ptr @in_an_integer(i64 %n) {
  ret ptr null
}
define ptr @calls(ptr %slot) {
  %r = call ptr @wsConnect(ptr %slot, ptr @text)
  %a = call ptr @called(i64 1)
  %b = call ptr no_cfi @called_by_another_name(i64 1)
  %c = call ptr @stored(i64 1)
  store ptr @stored, ptr %slot
  store ptr blockaddress(@stored, %there), ptr %slot
  store ptr blockaddress(@has_a_block, %there), ptr %slot
  store ptr @message, ptr %slot
  store ptr @text, ptr %slot
  store ptr @wsConnect, ptr %slot
  ret ptr @of_data
}
; END
define ptr @stored(i64 %n) {
  br label %there
there:
  ret ptr null
}
define ptr @has_a_block(i64 %n) {
  br label %there
there:
  ret ptr null
}

; CHECK-LABEL: define void @later(
; CHECK: %[[CELL:.*]] = call ptr @[[$TICK:osp_ws.to_cell[.0-9]*]](ptr %h)
; CHECK-NEXT: call ptr @wsAfter(i64 %n, ptr %[[CELL]])
; CHECK: call ptr @[[$MESSAGE:osp_ws.to_cell[.0-9]*]](ptr %m)
; CHECK: define internal ptr @[[$MESSAGE]](
; CHECK-NEXT: entry:
; CHECK-NEXT: icmp eq ptr %handler, @message
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @wsConnect
; CHECK-NEXT: select
; CHECK-NEXT: ret ptr
; CHECK: define internal ptr @osp_ws.forward.wsConnect(
; CHECK: tail call ptr @wsConnect(ptr %connection, ptr %message)
; CHECK: define internal ptr @[[$TICK]](
; CHECK-NEXT: entry:
; CHECK-NEXT: icmp eq ptr %handler, @wsClose
; CHECK-NEXT: select i1 {{.*}}, ptr @osp_ws.cell.wsClose, ptr %handler
; CHECK-NEXT: icmp eq ptr %handler, @declared
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @behind_data
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @in_an_integer
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @stored
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @renamed
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @resolved
; CHECK-NEXT: select
; CHECK-NEXT: ret ptr

; LINKED-LABEL: define void @linked(
; LINKED: %cell = call ptr @osp_ws.to_cell{{.*}}(ptr %m)

; Without any, handlers are passed as they are.
; NONE-LABEL: define void @later(
; NONE-NEXT: call ptr @wsAfter(i64 %n, ptr %h)
; NONE-NEXT: call ptr @wsServerOnMessage(i64 %n, ptr %m)
