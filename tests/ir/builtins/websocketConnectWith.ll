; CG-1 CG-2 CG-3 CG-4 CG-15 CG-18 ABI-5 ABI-6: websocketConnectWith, as a host writes it (typed pointers, by name) and with opaque
; pointers by its alias; then its body; then what -O2 leaves of it.
; RUN: %opt -passes=verify -S %s | %FileCheck %s --check-prefix=BEFORE
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s --check-prefix=AFTER
; RUN: %lower %s | %opt -passes='default<O2>,verify' -S | %FileCheck %s --check-prefix=OPT

declare { i64, i8, i8* }* @websocketConnectWith(i8*, i8*, i8*)
declare ptr @wsConnectWith(ptr, ptr, ptr)
declare { i64, i8, i8* }* @on(i8*, i8*)

; BEFORE: declare ptr @websocketConnectWith(ptr, ptr, ptr)
; BEFORE: declare ptr @wsConnectWith(ptr, ptr, ptr)

; AFTER: @osp_ws.cell.on = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.on }, align 8

; AFTER-LABEL: define linkonce_odr hidden noalias noundef nonnull align 8 dereferenceable(24) ptr @websocketConnectWith(
; AFTER-SAME: ptr [[$STRING]] %url, ptr [[$WebSocketOptions]] %options, ptr [[$CELL]] %messageHandler) unnamed_addr #[[#]] comdat {
; AFTER-NEXT: entry:
; AFTER-NEXT: %error = alloca ptr, align 8
; AFTER-NEXT: %answer = call i64 @osp_ws_connect_with(ptr %url, ptr %options, ptr %messageHandler, ptr %error)
; AFTER-NEXT: %failure = load ptr, ptr %error, align 8
; AFTER-NEXT: %failed = icmp ne ptr %failure, null
; AFTER-NEXT: %discriminant = zext i1 %failed to i8
; AFTER-NEXT: %result = call ptr @osp_alloc_tagged(i64 ptrtoint (ptr getelementptr ({ i64, i8, ptr }, ptr null, i32 1) to i64), i64 1025)
; AFTER-NEXT: store i64 %answer, ptr %result, align 8
; AFTER-NEXT: %result.discriminant = getelementptr [[$INBOUNDS]] { i64, i8, ptr }, ptr %result, i32 0, i32 1
; AFTER-NEXT: store i8 %discriminant, ptr %result.discriminant, align 1
; AFTER-NEXT: %result.message = getelementptr [[$INBOUNDS]] { i64, i8, ptr }, ptr %result, i32 0, i32 2
; AFTER-NEXT: store ptr %failure, ptr %result.message, align 8
; AFTER-NEXT: ret ptr %result
; AFTER-NEXT: }

; AFTER-LABEL: define linkonce_odr hidden noalias noundef nonnull align 8 dereferenceable(24) ptr @wsConnectWith(
; AFTER-SAME: ptr [[$STRING]] %url, ptr [[$WebSocketOptions]] %options, ptr [[$CELL]] %messageHandler) unnamed_addr #[[#]] comdat {
; AFTER-NEXT: entry:
; AFTER-NEXT: %error = alloca ptr, align 8
; AFTER-NEXT: %answer = call i64 @osp_ws_connect_with(ptr %url, ptr %options, ptr %messageHandler, ptr %error)
; AFTER-NEXT: %failure = load ptr, ptr %error, align 8
; AFTER-NEXT: %failed = icmp ne ptr %failure, null
; AFTER-NEXT: %discriminant = zext i1 %failed to i8
; AFTER-NEXT: %result = call ptr @osp_alloc_tagged(i64 ptrtoint (ptr getelementptr ({ i64, i8, ptr }, ptr null, i32 1) to i64), i64 1025)
; AFTER-NEXT: store i64 %answer, ptr %result, align 8
; AFTER-NEXT: %result.discriminant = getelementptr [[$INBOUNDS]] { i64, i8, ptr }, ptr %result, i32 0, i32 1
; AFTER-NEXT: store i8 %discriminant, ptr %result.discriminant, align 1
; AFTER-NEXT: %result.message = getelementptr [[$INBOUNDS]] { i64, i8, ptr }, ptr %result, i32 0, i32 2
; AFTER-NEXT: store ptr %failure, ptr %result.message, align 8
; AFTER-NEXT: ret ptr %result
; AFTER-NEXT: }

; Only the discriminant is looked at: no block is left.
define i8 @by_name(i8* %url, i8* %options, i8* %messageHandler) {
  %r = call { i64, i8, i8* }* @websocketConnectWith(i8* %url, i8* %options, i8* %messageHandler)
  %field = getelementptr { i64, i8, i8* }, { i64, i8, i8* }* %r, i32 0, i32 1
  %discriminant = load i8, i8* %field
  ret i8 %discriminant
}
; AFTER-LABEL: define i8 @by_name(
; AFTER-NEXT: %r = call ptr @websocketConnectWith(ptr %url, ptr %options, ptr %messageHandler)
; OPT-LABEL: define {{.*}}i8 @by_name(
; OPT-NOT: @osp_alloc_tagged
; OPT: call {{.*}}@osp_ws_connect_with(ptr {{.*}}%url, ptr {{.*}}%options, ptr {{.*}}%messageHandler, ptr {{.*}}%[[ERROR:[a-z0-9.]+]])
; OPT-NOT: @osp_alloc_tagged
; OPT: %[[FAILURE:[a-z0-9.]+]] = load ptr, ptr %[[ERROR]], align 8
; OPT-NEXT: %[[FAILED:[a-z0-9.]+]] = icmp ne ptr %[[FAILURE]], null
; OPT-NEXT: %[[D:[a-z0-9.]+]] = zext i1 %[[FAILED]] to i8
; OPT-NOT: @osp_alloc_tagged
; OPT: ret i8 %[[D]]

; The block is handed on; the handler arrives raw.
define ptr @by_alias(ptr %url, ptr %options) {
  %r = call ptr @wsConnectWith(ptr %url, ptr %options, ptr @on)
  ret ptr %r
}
; AFTER-LABEL: define ptr @by_alias(
; AFTER-NEXT: %r = call ptr @wsConnectWith(ptr %url, ptr %options, ptr @osp_ws.cell.on)
; OPT-LABEL: define {{.*}}ptr @by_alias(
; OPT: call {{.*}}@osp_ws_connect_with(ptr {{.*}}%url, ptr {{.*}}%options, ptr {{.*}}@osp_ws.cell.on, ptr {{.*}})
; OPT: %[[R:[a-z0-9.]+]] = {{.*}}call {{.*}}@osp_alloc_tagged(i64 24, i64 1025)
; OPT: ret ptr %[[R]]

; AFTER: declare noundef i64 @osp_ws_connect_with(ptr [[$STRING]], ptr [[$WebSocketOptions]], ptr [[$CELL]], ptr [[$SLOT]]) #[[#$ENTRY:]]

; ABI-8: the raw handler is called without the cell.
; AFTER-LABEL: define internal ptr @osp_ws.forward.on(ptr %cell, ptr %connection, ptr %message) unnamed_addr #[[#]] {
; AFTER-NEXT: entry:
; AFTER-NEXT: %result = tail call ptr @on(ptr %connection, ptr %message)
; AFTER-NEXT: ret ptr %result
; AFTER-NEXT: }

; AFTER: attributes #[[#$ENTRY]] = { nounwind }
