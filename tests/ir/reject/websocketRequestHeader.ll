; CG-8 LOWER-3: websocketRequestHeader declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketRequestHeader(i64, i8*)
; CHECK: websocketRequestHeader.ll:[[#@LINE-1]]: error: 'websocketRequestHeader' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketRequestHeader(wsID: Int, name: String) -> Result<String, String>
declare { i8*, i8, i8* }* @wsRequestHeader(i64, i8*, i32)
; CHECK: websocketRequestHeader.ll:[[#@LINE-1]]: error: 'wsRequestHeader' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketRequestHeader(wsID: Int, name: String) -> Result<String, String>
