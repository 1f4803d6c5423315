declare { i64, i8, i8* }* @wsSend(i64, i8*)
define { i64, i8, i8* }* @chat(i8* %text) {
  %r = call { i64, i8, i8* }* @wsSend(i64 1, i8* %text)
  ret { i64, i8, i8* }* %r
}
