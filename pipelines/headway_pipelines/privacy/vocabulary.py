"""Words that names of events and properties are usually made of.

A name met in a log is shown when several people sent it, because a rare one may hold somebody's name. A name that
public specifications of trackers give, or that is made of such words only, is nobody's: it may be shown however rare it
is, so that a small log gets a plan too. None of the words may be a given name.
Sources: the event specifications of Segment, GA4, PostHog, Mixpanel, Amplitude and Plausible.
"""

from __future__ import annotations

from headway.models.properties import snake_case

_SEGMENT = """
Page Viewed; Screen Viewed; Page Requested; Products Searched; Product List Viewed; Product List Filtered;
Promotion Viewed; Promotion Clicked; Product Clicked; Product Viewed; Product Added; Product Removed; Cart
Viewed; Checkout Started; Checkout Step Viewed; Checkout Step Completed; Payment Info Entered; Order Completed;
Order Updated; Order Refunded; Order Cancelled; Coupon Entered; Coupon Applied; Coupon Denied; Coupon Removed;
Product Added to Wishlist; Product Removed from Wishlist; Wishlist Product Added to Cart; Product Shared; Cart
Shared; Product Reviewed; Signed Up; Signed In; Signed Out; Account Created; Account Deleted; Account Added
User; Account Removed User; Invite Sent; Trial Started; Trial Ended; Experiment Viewed; Application Installed;
Application Opened; Application Updated; Application Backgrounded; Application Crashed; Application Uninstalled;
Push Notification Received; Push Notification Tapped; Install Attributed; Deep Link Opened; Deep Link Clicked;
Email Opened; Email Delivered; Email Link Clicked; Email Bounced; Email Marked as Spam; Unsubscribed; Video
Playback Started; Video Playback Paused; Video Playback Resumed; Video Playback Completed; Video Content
Started; Video Content Playing; Video Content Completed; Live Chat Conversation Started; Live Chat Conversation
Ended; Live Chat Message Sent; Live Chat Message Received
"""
_OTHERS = """
page_view; screen_view; first_visit; first_open; session_start; user_engagement; scroll; click;
view_search_results; file_download; form_start; form_submit; video_start; video_progress; video_complete;
app_update; app_remove; login; sign_up; search; share; add_payment_info; add_shipping_info; add_to_cart;
add_to_wishlist; begin_checkout; generate_lead; purchase; refund; remove_from_cart; select_content; select_item;
select_promotion; view_cart; view_item; view_item_list; view_promotion; tutorial_begin; tutorial_complete;
level_start; level_end; level_up; join_group; $pageview; $pageleave; $autocapture; $screen; $identify; $set;
$groupidentify; $create_alias; $mp_web_page_view; $feature_flag_called; $rageclick; $web_vitals; pageview;
page_ping; session_end; Outbound Link: Click; File Download
"""
_PROPERTIES = """
url path referrer title search query name product_id sku category brand variant price quantity coupon position currency
value revenue total subtotal shipping tax discount order_id checkout_id cart_id list_id affiliation products image_url
experiment_id experiment_name variation_id variation_name plan method session_id step promotion_id creative
utm_source utm_medium utm_campaign utm_term utm_content hostname host screen_name version build
"""

_USUAL = """
abandoned accepted activated answered approved archived attached blocked booked called canceled cancelled changed
chosen closed comment commented confirmed connected converted copied course declined downgraded downloaded edited
enrolled expired exported failed feedback file filter finished followed form goal group guest imported item joined
left lesson liked link listed loaded logged message missed moved note notified onboarding opted page paid password
performed pinned played post posted project published question rated reached read rejected removed renamed renewed
reopened replied reported requested reset restored resumed returned saved scheduled score searched seats selected
settings shipped skipped sorted status subscribed subscription succeeded support survey task team test ticket title
tour turned type undone upgraded uploaded user verified visited voted watched wallet webinar workspace
created customer date day device event properties received sent time timestamp timezone
amount count duration id index label language locale mode number result rating size source target tier total
"""


def words_of(text: str) -> tuple[str, ...]:
    """Cuts a text at blanks: lists of many words stay readable that way.

    Examples:
        >>> words_of("a b")
        ('a', 'b')
    """
    return tuple(text.split())


def _listed(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in text.split(";"))


_EVENTS = _listed(_SEGMENT) | _listed(_OTHERS)
_WORDS = (
    frozenset(word for name in _EVENTS for word in snake_case(name).split("_"))
    | frozenset(word for name in words_of(_PROPERTIES) for word in name.split("_"))
    | frozenset(words_of(_USUAL))
)


def ordinary(name: str) -> bool:
    """Says whether a name is one of a public specification, or made of usual words only.

    Args:
        name: Name of an event or a property.

    Returns:
        True where it can name nobody.

    Examples:
        >>> ordinary("Payment Failed"), ordinary("$pageview"), ordinary("Mail to Ada")
        (True, True, False)
    """
    return name in _EVENTS or set(snake_case(name).split("_")) <= _WORDS
