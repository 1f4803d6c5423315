; CG-8 LOWER-3: websocketSend declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketSend(i64, i8*)
; CHECK: websocketSend.ll:[[#@LINE-1]]: error: 'websocketSend' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketSend(wsID: Int, message: String) -> Result<Success, String>
declare { i64, i8, i8* }* @wsSend(i64, i8*, i32)
; CHECK: websocketSend.ll:[[#@LINE-1]]: error: 'wsSend' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketSend(wsID: Int, message: String) -> Result<Success, String>
