; CG-8 LOWER-3: websocketSendBinary declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketSendBinary(i64, i8*)
; CHECK: websocketSendBinary.ll:[[#@LINE-1]]: error: 'websocketSendBinary' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketSendBinary(wsID: Int, base64: String) -> Result<Success, String>
declare { i64, i8, i8* }* @wsSendBinary(i64, i8*, i32)
; CHECK: websocketSendBinary.ll:[[#@LINE-1]]: error: 'wsSendBinary' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketSendBinary(wsID: Int, base64: String) -> Result<Success, String>
