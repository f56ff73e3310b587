;; attack: A program that writes 125 KiB of spaces behind its answer in one vector.
;; want: output

(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")

(@custom "bartizan.manifest" "{\"abi\":1,\"name\":\"hostile\",\"version\":\"1.0.0\",\"phases\":[\"listing\",\"request\",\"result\",\"prompt\",\"resource\"],\"encoding\":\"json\",\"form\":\"command\",\"call\":\"always\",\"rules\":[{\"id\":\"integrity.mild\",\"family\":\"integrity\",\"severity\":\"low\",\"taxonomy\":[],\"description\":\"A mild rule.\"}]}")
(func (export "_start")
  (memory.fill (i32.const 1059) (i32.const 32) (i32.const 126976))
  (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const 128000))
  (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))))
