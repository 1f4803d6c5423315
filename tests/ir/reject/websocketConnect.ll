; CG-8 LOWER-3: websocketConnect declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketConnect(i8*, i8*)
; CHECK: websocketConnect.ll:[[#@LINE-1]]: error: 'websocketConnect' is declared as i64 (ptr, ptr), but the builtin's type is ptr (ptr, ptr): websocketConnect(url: String, messageHandler: fn(String) -> Result<Success, String>) -> Result<Int, String>
declare { i64, i8, i8* }* @wsConnect(i8*, i8*, i32)
; CHECK: websocketConnect.ll:[[#@LINE-1]]: error: 'wsConnect' is declared as ptr (ptr, ptr, i32), but the builtin's type is ptr (ptr, ptr): websocketConnect(url: String, messageHandler: fn(String) -> Result<Success, String>) -> Result<Int, String>
