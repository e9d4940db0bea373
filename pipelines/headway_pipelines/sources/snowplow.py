"""Snowplow: enriched events as the pipeline writes them, and the events table of a warehouse.

Both become the same events, see ``snowplow_events.sql``. What is called how:

- a page view is ``Page Viewed``, a page ping ``Page Pinged``, a self-describing event carries the name in its schema
  (``iglu:com.example/product_viewed/...`` is ``product_viewed``), except that ``screen_view`` is ``Screen Viewed``;
- a structured event is called by its `se_action`, and by its `se_category` only where it has no action;
- ``transaction`` and ``transaction_item`` stay what they are;
- `names` in ``sources.yml`` renames any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, StrictStr, field_validator
from sqlglot import exp

from headway.engine import bind, identifier, load, with_inputs
from headway_pipelines.sources.names import canonical, renamed
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Reader, Source

_HERE = "headway_pipelines.sources"

_COLUMNS = """
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
    v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid
    geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization
    ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath
    page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery
    refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign
    contexts se_category se_action se_label se_property se_value unstruct_event tr_orderid tr_affiliation tr_total
    tr_tax tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity
    pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version br_type
    br_renderengine br_lang br_features_pdf br_features_flash br_features_java br_features_director
    br_features_quicktime br_features_realplayer br_features_windowsmedia br_features_gears
    br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer
    os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height
    tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone
    mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts
    domain_sessionid derived_tstamp event_vendor event_name event_format event_version event_fingerprint
    true_tstamp
"""
COLUMNS = tuple(_COLUMNS.split())
"""The columns of an enriched event, in their order."""

_KEPT = """
    app_id platform domain_sessionidx event_vendor event_version geo_country refr_medium refr_source
    mkt_medium mkt_source mkt_term mkt_content mkt_campaign mkt_network dvce_type
    se_category se_action se_label se_property se_value
    tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country tr_currency
    ti_orderid ti_sku ti_name ti_category ti_price ti_quantity ti_currency
    pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max
"""
PROPERTIES = {
    "page_url": "url",
    "page_referrer": "referrer",
    "page_title": "title",
    **{name: name for name in _KEPT.split()},
}
"""Columns that become properties of an event, and what those are called."""

OWN_NAMES = ("Page Viewed", "Page Pinged", "Screen Viewed")
"""What snowplow_events.sql calls events that have other names in the logs."""

#: Columns with a part of their own in the shape.
_PARTS = """
    event event_name user_id domain_userid network_userid domain_sessionid event_id true_tstamp derived_tstamp
    dvce_created_tstamp dvce_sent_tstamp collector_tstamp useragent user_ipaddress se_category se_action
    unstruct_event contexts derived_contexts
"""
_TABLE_PARTS = tuple(
    column
    for column in COLUMNS
    if column in {*_PARTS.split(), *PROPERTIES} - {"unstruct_event", "contexts", "derived_contexts"}
)
_REQUIRED = ("event", "event_id", "collector_tstamp", "domain_userid")
#: Vendors whose schemas most tables hold; the first that fits is cut off, so the longer ones come first.
_VENDORS = (
    "com.snowplowanalytics.snowplow.ecommerce",
    "com.snowplowanalytics.snowplow.media",
    "com.snowplowanalytics.snowplow",
    "com.snowplowanalytics.mobile",
    "com.iab.snowplow",
    "nl.basjes",
    "org.w3",
    "com.google.analytics",
    "com.google.ga4",
)


def snowplow(
    name: str = "snowplow", files: tuple[str, ...] = ("**/*",), names: Mapping[str, str] | None = None
) -> Source:
    """Describes files of enriched events: 131 columns, separated by tabs, without header.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        names: Snowplow's name of an event -> name in the tracking plan; other names stay.

    Returns:
        The source.

    Examples:
        >>> snowplow().reader.kind
        'lines'
    """
    values = {part: COLUMNS.index(part) + 1 for part in _PARTS.split()}
    chosen = [COLUMNS.index(column) + 1 for column in PROPERTIES]
    head = bind(
        load(_HERE, "snowplow.sql"),
        {
            **values,
            "width": len(COLUMNS),
            "chosen": exp.convert(chosen),
            "chosen_names": _texts(PROPERTIES.values()),
        },
    )
    text = with_inputs(load(_HERE, "snowplow_json.sql"), {"given": head})
    events = canonical(OWN_NAMES, names)
    return Source(name, "snowplow", events_query(text, names), files=files, events=events)


def snowplow_table(
    name: str = "snowplow_table",
    files: tuple[str, ...] = ("**/*",),
    names: Mapping[str, str] | None = None,
    vendors: tuple[str, ...] = (),
) -> Source:
    """Describes exports of a warehouse's events table, as CSV or Parquet.

    Contexts are columns such as ``contexts_com_snowplowanalytics_snowplow_web_page_1_0_0``. Where the vendor is known
    the context is called as in enriched events (``web_page``), else ``com_example_plan``.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        names: Snowplow's name of an event -> name in the tracking plan; other names stay.
        vendors: Further vendors of contexts, for example ``com.example``.

    Returns:
        The source.

    Examples:
        >>> snowplow_table().reader.required
        ('event', 'event_id', 'collector_tstamp', 'domain_userid')
    """
    known = "|".join(re.sub("[^a-z0-9]", "_", vendor.lower()) for vendor in (*vendors, *_VENDORS))
    head = bind(
        load(_HERE, "snowplow_table.sql"),
        {"chosen_names": _texts(PROPERTIES.values()), "vendors": f"^contexts_(({known})_)?"},
    )
    chosen = ", ".join(f"parts.{identifier(column)}" for column in PROPERTIES)
    head = head.replace("[/* chosen */]", f"[{chosen}]")
    reader = Reader("table", required=_REQUIRED, parts=_TABLE_PARTS)
    events = canonical(OWN_NAMES, names)
    return Source(name, "snowplow_table", events_query(head, names), reader, files, events=events)


def events_query(given: str, names: Mapping[str, str] | None = None) -> str:
    """Writes the SELECT that turns Snowplow's fields into events.

    Args:
        given: Query of the fields, the input `given` of snowplow_events.sql.
        names: Snowplow's name of an event -> name in the tracking plan.

    Returns:
        The SELECT over ``frames``.
    """
    text = bind(load(_HERE, "snowplow_events.sql"), {"event_name": renamed("raw_name", names)})
    return with_inputs(text, {"given": given})


def _texts(values: object) -> exp.Expr:
    return exp.convert([str(value) for value in values])  # type: ignore[attr-defined]


class SnowplowFiles(FileSet):
    """What all sources of Snowplow's events may state.

    Attributes:
        names: Snowplow's name of an event -> name in the tracking plan; other names stay.
    """

    names: dict[StrictStr, StrictStr] = Field(default_factory=dict)


class SnowplowSource(SnowplowFiles):
    """Enriched events, see `snowplow`."""

    format: Literal["snowplow"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return snowplow(name, self.files, self.names)


class SnowplowTableSource(SnowplowFiles):
    """An events table, see `snowplow_table`.

    Attributes:
        vendors: Further vendors of contexts.
    """

    format: Literal["snowplow_table"]
    vendors: tuple[StrictStr, ...] = ()

    @field_validator("vendors")
    @classmethod
    def _vendors_are_names(cls, vendors: tuple[str, ...]) -> tuple[str, ...]:
        for vendor in vendors:
            if not re.fullmatch(r"[A-Za-z0-9_.-]+", vendor):
                raise ValueError(
                    f"{vendor!r} is not a vendor; write it as in the schema, for example com.example"
                )
        return vendors

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return snowplow_table(name, self.files, self.names, self.vendors)


def recognise(sample: Sample) -> str | None:
    """Knows enriched events by their width and their time of arrival.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.
    """
    place = COLUMNS.index("collector_tstamp")
    rows = [cells for line in sample.lines if len(cells := line.split("\t")) == len(COLUMNS)]
    if not rows or len(rows) < 0.9 * len(sample.lines):
        return None
    if not all(re.match(r"\d{4}-\d{2}-\d{2} \d{2}:", cells[place]) for cells in rows):
        return None
    return f"lines have {len(COLUMNS)} columns separated by tabs, with a time where Snowplow's enriched events have one"


def recognise_table(sample: Sample) -> str | None:
    """Knows an events table by its columns.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.
    """
    signs = ("collector_tstamp", "dvce_created_tstamp", "domain_userid", "event_id")
    if not set(signs) <= set(sample.columns):
        return None
    return f"it has the columns {', '.join(signs[:-1])} and {signs[-1]} of Snowplow's events table"
