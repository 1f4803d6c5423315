; CG-28: the module's assembly defines builtins that the module declares.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s --implicit-check-not=error:
; RUN: %refused %s
; RUN: sed '/^target triple/s/.*/target triple = "aarch64-apple-macosx"/' %s > %t.ll
; RUN: %not %lower %t.ll 2>&1 | %FileCheck %s --check-prefix=MACHO --implicit-check-not=error:

target triple = "x86_64-unknown-linux-gnu"
module asm ".globl wsSend; first: wsSend: ret"
module asm "  .set wsClose, wsSend"
module asm "\22wsProtocol\22 = wsSend + 1"
module asm ".comm wsValue, 8"
module asm "osp_ws.success:\09.quad 0"
module asm "_wsSubscribe:"
module asm "/* a comment */ wsStopServer /* of two"
module asm "lines */ : /**/ wsQueuedBytes: ret # /* no block comment"
module asm "#no block comment /*"
module asm "wsConnection: // neither is this /*"
module asm "wsCancel:"

; What these do is no definition of a builtin that is declared.
module asm ".type wsPublish,@function; call wsPublish # wsPublish: "
module asm ".ascii \22; wsPublish: \5C\22; wsPublish:\22"
module asm "my_wsPublish: wsPublish.x = 1; .quad wsPublish + wsPublish"
module asm ".symver wsOther, wsPublish@V1"
module asm "wsEvery: wsAfter = wsEvery"
module asm "osp_ws_publish: osp_alloc_tagged:"
module asm ":::"
module asm "/* wsPublish: first line"
module asm "wsPublish: second line; wsPublish: \22 // # */ .ascii \22/*\22 /* wsPublish:"
module asm "wsPublish: */ call wsPublish # it; wsPublish: // it; wsPublish:"
module asm "\22"

; CHECK: assembly.ll: error: 'osp_ws.success' is defined by the module's assembly
declare ptr @wsSend(i64, ptr)
; CHECK: assembly.ll:[[#@LINE-1]]: error: 'wsSend' is defined by the module's assembly, so that lowering cannot define it
declare ptr @wsClose(i64)
; CHECK: assembly.ll:[[#@LINE-1]]: error: 'wsClose' is defined
declare ptr @wsProtocol(i64)
; CHECK: assembly.ll:[[#@LINE-1]]: error: 'wsProtocol' is defined
declare ptr @wsValue(i64, ptr)
; CHECK: assembly.ll:[[#@LINE-1]]: error: 'wsValue' is defined
declare ptr @wsStopServer(i64)
; CHECK: assembly.ll:[[#@LINE-1]]: error: 'wsStopServer' is defined
declare ptr @wsQueuedBytes(i64)
; CHECK: assembly.ll:[[#@LINE-1]]: error: 'wsQueuedBytes' is defined
declare ptr @wsConnection(i64)
; CHECK: assembly.ll:[[#@LINE-1]]: error: 'wsConnection' is defined
declare ptr @wsCancel(i64)
; CHECK: assembly.ll:[[#@LINE-1]]: error: 'wsCancel' is defined
declare ptr @wsPublish(i64, ptr, ptr)
declare ptr @wsSubscribe(i64, ptr)
; MACHO: error: 'wsSubscribe' is defined
define ptr @wsEvery(i64 %ms, ptr %h) {
  ret ptr null
}
