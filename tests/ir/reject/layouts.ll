; CG-12: allocas, functions or variables in another address space, other alignments; and attributes that no body, entry
; point or handler can have (CG-8, CG-10, CG-11).
; RUN: for space in A5 G1 e-p:64:64-A5-G1; do (echo "target datalayout = \"$space\""; cat %s) > %t.ll \
; RUN:   && %not %lower %t.ll 2>&1 | %FileCheck %s && %refused %t.ll || exit 1; done
; RUN: for f in '@wsSend(i64, ptr' '@osp_ws_send(i64, ptr, ptr' '@on(ptr'; do \
; RUN:   awk -v f="$f" '{ at = index($0, f); print at && /^declare/ ? substr($0, 1, at - 1) f " swifterror)" : $0 }' %s \
; RUN:   > %t.ll && %not %lower %t.ll 2>&1 | %FileCheck %s --check-prefix=SWIFT && %refused %t.ll || exit 1; done
; RUN: for a in ') naked' ') noreturn' ') presplitcoroutine' ') memory(none)' ') speculatable' \
; RUN:     ' returned)'; do \
; RUN:   sed "s/^declare ptr @wsSend(i64, ptr)/declare ptr @wsSend(i64, ptr$a/" %s > %t.ll && \
; RUN:   %not %lower %t.ll 2>&1 | %FileCheck %s --check-prefix=BODY && %refused %t.ll || exit 1; done
; RUN: for layout in e-p:64:32 e-p:64:128 e-i64:128; do (echo "target datalayout = \"$layout\""; cat %s) > %t.ll \
; RUN:   && %not %lower %t.ll 2>&1 | %FileCheck %s --check-prefix=ALIGN && %refused %t.ll || exit 1; done
; RUN: for a in 'ptr) noreturn' 'ptr) memory(none)' 'ptr) speculatable' 'ptr readonly)' 'ptr readnone)'; do \
; RUN:   sed "s/^declare i64 @osp_ws_send(i64, ptr, ptr)/declare i64 @osp_ws_send(i64, ptr, $a/" %s > %t.ll && \
; RUN:   %not %lower %t.ll 2>&1 | %FileCheck %s --check-prefix=ENTRY && %refused %t.ll || exit 1; done
; RUN: for a in 'byval(i64)' 'byref(i64)' readnone writeonly %if llvm22 %{ 'initializes((0, 4))' %}; do \
; RUN:   for f in 'ptr @wsSend(i64, ptr' 'ptr @wsConnect(ptr, ptr' 'ptr @wsConnect(ptr' 'i64 @osp_ws_send(i64, ptr'; do \
; RUN:     awk -v f="declare $f" -v a="$a" '{ print index($0, f) == 1 ? f " " a substr($0, length(f) + 1) : $0 }' %s > %t.ll && \
; RUN:     %not %lower %t.ll 2>&1 | %FileCheck %s --check-prefix=COPY && %refused %t.ll || exit 1; done; done
; RUN: for a in 'byval(i64)' 'byref(i64)' 'inalloca(i64)'; do \
; RUN:   sed "s/^declare i64 @osp_ws_send(i64, ptr, ptr)/declare i64 @osp_ws_send(i64, ptr, ptr $a)/" %s > %t.ll && \
; RUN:   %not %lower %t.ll 2>&1 | %FileCheck %s --check-prefix=COPY && %refused %t.ll || exit 1; done
; RUN: sed 's/^declare ptr @on/declare amdgpu_ps ptr @on/' %s > %t.ll && %not %lower %t.ll 2>&1 | %FileCheck %s \
; RUN:   --check-prefix=CALL && %refused %t.ll
; RUN: sed 's/^declare i64 @osp_ws_send/declare amdgpu_ps i64 @osp_ws_send/' %s > %t.ll && %not %lower %t.ll 2>&1 | \
; RUN:   %FileCheck %s --check-prefix=CALL && %refused %t.ll
declare ptr @wsSend(i64, ptr)
; ALIGN: error: the WebSocket builtins need pointers that are aligned to 8 bytes, and numbers to 8 at most; the data layout
; ENTRY: error: 'osp_ws_send' has the attribute '{{noreturn|memory|speculatable|readonly|readnone}}', but the runtime's
; COPY: error: '{{wsSend|wsConnect|osp_ws_send}}' has the attribute '{{byval|byref|inalloca|readnone|writeonly|initializes}}', but the
; CALL: error: '{{on|osp_ws_send}}' has the attribute 'amdgpu_ps', but {{a handler|the runtime's function}} has not
; BODY: error: 'wsSend' has the attribute '{{naked|noreturn|presplitcoroutine|memory|speculatable|returned}}', but the builtin has not
; CHECK: error: the WebSocket builtins need one address space; the data layout has another ('{{[APG][15]}}')
; SWIFT: error: '{{wsSend|osp_ws_send|on}}' has the attribute 'swifterror', but {{the|a}}
declare i64 @osp_ws_send(i64, ptr, ptr)
declare ptr @on(ptr)
declare ptr @wsConnect(ptr, ptr)
define ptr @f(ptr %url) {
  %r = call ptr @wsConnect(ptr %url, ptr @on)
  ret ptr %r
}
