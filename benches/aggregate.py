"""Reads passive DNS lines with DuckDB and aggregates them per (name, address): the yardstick of the import."""

import sys

import duckdb

path, limit, folder = sys.argv[1:4]
connection = duckdb.connect()
connection.execute(f"set threads = 2; set memory_limit = '{limit}'; set temp_directory = '{folder}'")
connection.execute("set preserve_insertion_order = false")
print(
    connection.execute(
        """
        with lines as (
            select rrname, rdata, time_first, time_last, count
            from read_json(?, format = 'newline_delimited', columns = {
                rrname: 'varchar', rrtype: 'varchar', rdata: 'varchar',
                time_first: 'bigint', time_last: 'bigint', count: 'bigint'})
        ), days as (
            select rrname, rdata, time_last // 86400 as day, min(time_first) as first, max(time_last) as last,
                sum(count) as hits
            from lines group by all
        ), edges as (
            select rrname, rdata, min(first) as first, max(last) as last, sum(hits) as hits, max(hits) as peak
            from days group by all
        )
        select count(*), sum(hits), max(peak) from edges
        """,
        [path],
    ).fetchall()
)
