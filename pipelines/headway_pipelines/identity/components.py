"""Connected components: which nodes a list of edges joins, directly or through others."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from headway.engine.sql import load

_HERE = "headway_pipelines.identity"


def label_components(con: duckdb.DuckDBPyConnection, edges: str) -> int:
    """Makes the temporary table `labels(node, label)`: nodes joined by edges carry the same label.

    Ids are coded as small integers inside, so that millions of them fit easily; which integer a label is means nothing.

    Args:
        con: A connection.
        edges: Query of the edges, with the columns ``a`` and ``b``.

    Returns:
        Number of components.

    Examples:
        >>> from headway.engine import connect
        >>> con = connect()
        >>> label_components(con, "FROM (VALUES (1, 2), (3, 2), (7, 8)) t(a, b)")
        2
        >>> con.sql("SELECT list(node ORDER BY node) FROM labels GROUP BY label ORDER BY 1").fetchall()
        [([1, 2, 3],), ([7, 8],)]
        >>> con.close()
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE edges AS {edges}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE coded AS {load(_HERE, 'coded.sql')}")
    pairs = con.sql(load(_HERE, "coded_edges.sql")).fetchnumpy()
    nodes = con.sql("SELECT count(*) FROM coded").fetchall()[0][0]
    ones = np.ones(len(pairs["a"]), np.int8)
    graph = coo_array((ones, (np.asarray(pairs["a"]), np.asarray(pairs["b"]))), shape=(nodes, nodes))
    components, labels = connected_components(graph, directed=False) if nodes else (0, np.empty(0, np.int32))
    con.register("found", pa.table({"code": np.arange(nodes, dtype=np.int32), "label": labels}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE labels AS SELECT node, label FROM coded JOIN found USING (code)"
    )
    con.unregister("found")
    con.execute("DROP TABLE coded")
    con.execute("DROP TABLE edges")
    return int(components)
