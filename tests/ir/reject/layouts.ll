; CG-12: allocas, functions or variables in another address space, and attributes that no body can have (CG-8).
; RUN: for space in A5 P1 G1 e-p:64:64-A5-G1; do (echo "target datalayout = \"$space\""; cat %s) > %t.ll \
; RUN:   && %not %lower %t.ll 2>&1 | %FileCheck %s && %refused %t.ll || exit 1; done
; RUN: sed s/@wsSend.i64,.ptr/'@wsSend(i64, ptr swifterror'/ %s > %t.ll
; RUN: %not %lower %t.ll 2>&1 | %FileCheck %s --check-prefix=SWIFT && %refused %t.ll
declare ptr @wsSend(i64, ptr)
; CHECK: error: the WebSocket builtins need one address space; the data layout has another ('{{[APG][15]}}')
; SWIFT: error: 'wsSend' is declared with the attribute 'swifterror', which the builtin lacks: websocketSend(
