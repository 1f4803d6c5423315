; CG-12: the data layout determines the target, else the triple, else the host. Pointers must have 8 bytes.
; RUN: %split_file %s %t
; RUN: for f in x86_64 aarch64 triple_only big; do cat %t/$f.ll %t/body.ll > %t/in.ll \
; RUN:   && %lower %t/in.ll | %opt -passes=verify -S | %FileCheck %s || exit 1; done
; RUN: for f in wasm32 i386 wasm32_triple arm_triple layout_only; do cat %t/$f.ll %t/body.ll > %t/in.ll \
; RUN:   && %opt -passes=verify -disable-output %t/in.ll \
; RUN:   && %not %lower %t/in.ll 2>&1 | %FileCheck %s --check-prefix=REFUSED || exit 1; done
; RUN: cat %t/unknown.ll %t/body.ll > %t/in.ll && %not %lower %t/in.ll 2>&1 | %FileCheck %s --check-prefix=UNKNOWN
; RUN: cat %t/macho.ll %t/body.ll > %t/in.ll \
; RUN:   && %lower %t/in.ll | %opt -passes=verify -S | %FileCheck %s --check-prefix=MACHO

; CHECK: call ptr @osp_alloc_tagged(i64 ptrtoint
; CHECK-SAME: {{^}} (ptr getelementptr ({ i64, i8, ptr }, ptr null, i32 1) to i64), i64 1025)
; REFUSED: in.ll: error: the WebSocket builtins need a target with 8-byte pointers; {{those of .* have 4|'.*' is not known as one}}
; UNKNOWN: in.ll: error: the WebSocket builtins need a target with 8-byte pointers; 'pdp11-dec-unix' is not known as
; UNKNOWN-SAME: {{^}} one, and the module has no data layout
; CG-15: Mach-O has no comdats.
; MACHO-NOT: comdat
; MACHO: define linkonce_odr hidden

;--- body.ll
declare ptr @wsSend(i64, ptr)
define ptr @f(ptr %s) {
  %r = call ptr @wsSend(i64 1, ptr %s)
  ret ptr %r
}
;--- x86_64.ll
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
;--- aarch64.ll
target datalayout = "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128"
target triple = "aarch64-unknown-linux-gnu"
;--- triple_only.ll
target triple = "riscv64-unknown-linux-gnu"
;--- big.ll
target datalayout = "E-m:a-p:64:64-i64:64"
;--- macho.ll
target triple = "arm64-apple-macosx13.0.0"
;--- wasm32.ll
target datalayout = "e-m:e-p:32:32-i64:64-n32:64-S128"
target triple = "wasm32-unknown-unknown"
;--- i386.ll
target datalayout = "e-m:e-p:32:32-f64:32:64-f80:32-n8:16:32-S128"
target triple = "i386-unknown-linux-gnu"
;--- wasm32_triple.ll
target triple = "wasm32-unknown-unknown"
;--- arm_triple.ll
target triple = "armv7-unknown-linux-gnueabihf"
;--- layout_only.ll
target datalayout = "e-p:32:32"
;--- unknown.ll
target triple = "pdp11-dec-unix"
