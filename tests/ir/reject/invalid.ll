; CG-13: a module that LLVM's verifier rejects.
; RUN: %not %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s
; RUN: %refused %s
; CHECK: invalid.ll: error: the module is not valid: Instruction does not dominate all uses!

declare ptr @wsSend(i64, ptr)
define i64 @f(i1 %c) {
  br i1 %c, label %a, label %b
a:
  %x = add i64 1, 2
  br label %b
b:
  ret i64 %x
}
