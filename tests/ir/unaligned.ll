; CG-4: the fields of a Result are stored with their own alignment, whatever the data layout says of it.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s

target datalayout = "e-p:64:64-i64:32-i8:8"

declare ptr @wsSend(i64, ptr)
declare ptr @websocketConnect(ptr, ptr)

define ptr @f(ptr %s, ptr %h) {
  %r = call ptr @wsSend(i64 1, ptr %s)
  %t = call ptr @websocketConnect(ptr %s, ptr %h)
  ret ptr %r
}
; CHECK: define {{.*}}@websocketConnect(
; CHECK: store i64 %{{[a-z0-9.]+}}, ptr %result, align 8
; CHECK: store ptr %{{[a-z0-9.]+}}, ptr %result.message, align 8
