; CG-5: an alias whose type is not that of its function is called by its own type. The attributes of the function are for
; other parameters, its calling convention holds.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s

declare ptr @wsConnect(ptr, ptr)
define fastcc ptr @wide(ptr noundef %m, i64 noundef zeroext %n) {
  ret ptr %m
}
define zeroext i1 @other(i64 noundef zeroext %n) {
  ret i1 false
}
define nonnull ptr @same(ptr noundef %m) {
  ret ptr %m
}
@narrow = alias ptr (ptr), ptr @wide
@changed = alias ptr (ptr), ptr @other
@kept = alias ptr (ptr), ptr @same
define void @f(ptr %u) {
  %a = call ptr @wsConnect(ptr %u, ptr @narrow)
  %b = call ptr @wsConnect(ptr %u, ptr @changed)
  %c = call ptr @wsConnect(ptr %u, ptr @kept)
  ret void
}
; CHECK: define internal ptr @osp_ws.forward.narrow(ptr %cell, ptr %message)
; CHECK: %result = tail call fastcc ptr @narrow(ptr %message)
; CHECK: define internal ptr @osp_ws.forward.changed(ptr %cell, ptr %message)
; CHECK: %result = tail call ptr @changed(ptr %message)
; CHECK: define internal ptr @osp_ws.forward.kept(ptr %cell, ptr %message)
; CHECK: %result = tail call nonnull ptr @kept(ptr noundef %message)
