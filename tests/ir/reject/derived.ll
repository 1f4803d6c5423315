; CG-10: what is made of a plain function by arithmetic, an intrinsic or assembly. Both are named.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s
; RUN: %refused %s

declare ptr @wsConnect(ptr, ptr)
declare ptr @on(ptr)
declare ptr @other(ptr)
declare ptr @llvm.ptrmask.p0.i64(ptr, i64)
declare i64 @llvm.expect.i64(i64, i64)
declare <2 x ptr> @llvm.vector.extract.v2p0.v4p0(<4 x ptr>, i64)
define void @f(ptr %url, i64 %number, i1 %bit) {
  %address = ptrtoint ptr @on to i64
  %sum = add i64 %address, %number
  %moved = inttoptr i64 %sum to ptr
  %a = call ptr @wsConnect(ptr %url, ptr %moved)
; CHECK: derived.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'sum' is passed to
  %wide = zext i64 %address to i128
  %narrow = trunc i128 %wide to i64
  %back = inttoptr i64 %narrow to ptr
  %b = call ptr @wsConnect(ptr %url, ptr %back)
; CHECK: derived.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'narrow' is passed
  %masked = call ptr @llvm.ptrmask.p0.i64(ptr @on, i64 -8)
  %c = call ptr @wsConnect(ptr %url, ptr %masked)
; CHECK: derived.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'masked' is passed
  %expected = call i64 @llvm.expect.i64(i64 %address, i64 0)
  %likely = inttoptr i64 %expected to ptr
  %d = call ptr @wsConnect(ptr %url, ptr %likely)
; CHECK: derived.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'expected' is passed
  %copied = call ptr asm "mov $1, $0", "=r,r"(ptr @on)
  %e = call ptr @wsConnect(ptr %url, ptr %copied)
; CHECK: derived.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'copied' is passed
  %single = insertelement <1 x i64> poison, i64 %address, i64 0
  %scalar = bitcast <1 x i64> %single to i64
  %only = inttoptr i64 %scalar to ptr
  %g = call ptr @wsConnect(ptr %url, ptr %only)
; CHECK: derived.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'scalar' is passed
  %four = insertelement <4 x ptr> poison, ptr @on, i64 2
  %two = call <2 x ptr> @llvm.vector.extract.v2p0.v4p0(<4 x ptr> %four, i64 2)
  %first = extractelement <2 x ptr> %two, i64 0
  %h = call ptr @wsConnect(ptr %url, ptr %first)
; CHECK: derived.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'two' is passed
  %choice = select i1 %bit, ptr @on, ptr @other
  %beside = getelementptr i8, ptr %choice, i64 8
  %i = call ptr @wsConnect(ptr %url, ptr %beside)
; CHECK: derived.ll:[[#@LINE-1]]: error: either the plain function '{{on|other}}' or the unknown value 'beside' is passed
; CHECK-NOT: error
  ret void
}
