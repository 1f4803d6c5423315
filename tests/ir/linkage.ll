; CG-15 CG-18: a declaration that is imported from a DLL becomes a definition of the module, in a comdat of its own name.
; The hook that lowering declares has the attributes of an allocator.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s
; Mach-O has no comdats.
; RUN: for t in x86_64-unknown-darwin20 arm64-apple-ios17 aarch64-none-macho; do \
; RUN:   sed "s/dllimport //; s/x86_64-pc-windows-msvc/$t/" %s | %lower - | %opt -S | \
; RUN:   %FileCheck %s --check-prefix=MACHO --implicit-check-not=comdat || exit 1; done
; MACHO: define linkonce_odr hidden {{.*}}@wsSend(

target triple = "x86_64-pc-windows-msvc"

declare dllimport ptr @wsSend(i64, ptr)
declare dllimport ptr @websocketClose(i64)

define ptr @f(ptr %s) {
  %r = call ptr @wsSend(i64 1, ptr %s)
  %t = call ptr @websocketClose(i64 1)
  ret ptr %r
}

; CHECK-DAG: $websocketClose = comdat any
; CHECK-DAG: $wsSend = comdat any
; CHECK-DAG: $osp_ws.success = comdat any
; CHECK-NOT: comdat any
; CHECK-NOT: dllimport
; CHECK: define linkonce_odr hidden {{.*}}ptr @wsSend({{.*}}) unnamed_addr {{.*}}comdat {
; CHECK-NOT: dllimport
; CHECK: define linkonce_odr hidden {{.*}}ptr @websocketClose({{.*}}) unnamed_addr {{.*}}comdat {
; CHECK-NOT: dllimport
; CHECK: declare noalias noundef ptr @osp_alloc_tagged(i64 noundef, i64 noundef) #[[#ALLOC:]]
; CHECK: attributes #[[#ALLOC]] = { mustprogress nounwind willreturn allockind("alloc,zeroed") allocsize(0)
; CHECK-SAME: memory({{.*}}) "alloc-family"="osprey" }
