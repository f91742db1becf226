//! What MISP's warning lists are about, and what they do to a score.

use crate::fact::Action;
use crate::value::Category;

/// Topic and action of the lists, by folder or, where the file came without one, by name; `*` is anything, letters
/// compare without case, the first row that matches counts. A list without a row has neither.
///
/// The action is given only where it cannot be another: what anybody can rent, pass through or register under is shown
/// beside the evidence and changes nothing. For all other lists it is the policy's choice.
const LISTS: &[(&str, &str, &str, Option<Action>)] = &[
    // Security: scanners that announce themselves, vendors, sinkholes.
    ("umich-cse-connection-attempts", "*connection-attempt network ranges", "SECURITY_SCANNERS", None),
    ("*-scanning", "*used for*scanning", "SECURITY_SCANNERS", None),
    ("*-scanner", "*scanner*", "SECURITY_SCANNERS", None),
    ("shadowserver", "shadowserver ip-ranges*", "SECURITY_SCANNERS", None),
    ("tenable-cloud-ipv?", "*tenable cloud sensors*", "SECURITY_SCANNERS", None),
    ("palo-alto-networks-cortex-xpanse", "*cortex xpanse", "SECURITY_SCANNERS", None),
    ("check-host-net", "*check-host.net*", "SECURITY_SCANNERS", None),
    ("automated-malware-analysis", "*automated malware analysis*", "SECURITY_SERVICES", None),
    ("security-provider-blogpost", "*security providers/vendors*", "SECURITY_SERVICES", None),
    ("microsoft-attack-simulator", "*attack simulator*", "SECURITY_SERVICES", None),
    ("microsoft-mdca-proxy", "*defender for cloud apps*", "SECURITY_SERVICES", None),
    ("palo-alto-networks-cortex-cloud", "*cortex cloud*", "SECURITY_SERVICES", None),
    ("zscaler", "*zscaler*", "SECURITY_SERVICES", ANNOTATE),
    ("umbrella-blockpage-*", "cisco-umbrella-blockpage-*", "SECURITY_SERVICES", ANNOTATE),
    ("sinkholes", "list of known sinkholes", "SINKHOLE", ANNOTATE),
    // Ranges that anybody's servers stand in.
    ("amazon-aws", "*amazon aws*", "CLOUD_SERVICES", ANNOTATE),
    ("google-gcp", "*google cloud platform*", "CLOUD_SERVICES", ANNOTATE),
    ("microsoft-azure*", "*microsoft azure*", "CLOUD_SERVICES", ANNOTATE),
    ("oracle-oci", "*oracle cloud infrastructure*", "CLOUD_SERVICES", ANNOTATE),
    ("github", "*github ip ranges*", "CLOUD_SERVICES", ANNOTATE),
    ("microsoft-office365*", "*office 365*", "CLOUD_SERVICES", None),
    ("akamai", "*akamai ip ranges", "CONTENT_DELIVERY", ANNOTATE),
    ("bunny-net", "*bunny.net cdn*", "CONTENT_DELIVERY", ANNOTATE),
    ("cloudflare", "*cloudflare ip ranges", "CONTENT_DELIVERY", ANNOTATE),
    ("fastly", "*fastly ip*", "CONTENT_DELIVERY", ANNOTATE),
    ("stackpath", "*stackpath cdn*", "CONTENT_DELIVERY", ANNOTATE),
    ("ovh-cluster", "*ovh cluster*", "HOSTING", ANNOTATE),
    ("vpn-ipv?", "*common vpn providers*", "VPN", ANNOTATE),
    ("icloud-private-relay", "*icloud private relay*", "VPN", ANNOTATE),
    ("telegram-ips", "*telegram ip*", "SOCIAL_NETWORKS", ANNOTATE),
    // Names that anybody can put something under.
    ("dynamic-dns", "*dynamic dns*", "DYNAMIC_DNS", ANNOTATE),
    ("disposable-email", "*disposable email*", "DISPOSABLE_MAIL", ANNOTATE),
    ("url-shortener", "*url shorteners*", "URL_SHORTENERS", ANNOTATE),
    ("link-in-bio", "*link in bio*", "SOCIAL_NETWORKS", ANNOTATE),
    ("public-ipfs-gateways", "*ipfs gateways", "FILE_SHARING", ANNOTATE),
    ("parking-domain*", "parking domains*", "PARKED", ANNOTATE),
    ("lots-project", "*lots*living off trusted sites*", "", ANNOTATE),
    ("second-level-tlds", "second level tlds*", "", ANNOTATE),
    ("tlds", "tlds as known by iana", "", ANNOTATE),
    // Mail.
    ("smtp-*-ips", "*smtp * ip*", "MAIL_SERVICES", ANNOTATE),
    ("google-gmail-sending-ips", "*gmail sending ip*", "MAIL_SERVICES", ANNOTATE),
    // Topics.
    ("public-dns-*", "*public dns resolvers*", "PUBLIC_DNS", None),
    ("bank-website", "*bank domains", "BANKS", None),
    ("university_domains", "university domains", "EDUCATION", None),
    ("covid*", "*covid-19*", "HEALTH", None),
    ("google", "*google domains", "SEARCH_ENGINES_AND_SERVICES", None),
    ("googlebot", "*googlebot*", "SEARCH_ENGINES_AND_SERVICES", None),
    ("openai-gptbot", "*gpt crawler*", "INFORMATION_TECHNOLOGIES", None),
    ("microsoft", "*microsoft domains", "INFORMATION_TECHNOLOGIES", None),
    ("microsoft-win10-*", "*windows 10 connection*", "INFORMATION_TECHNOLOGIES", None),
    ("apple", "*apple ip*", "INFORMATION_TECHNOLOGIES", None),
    ("captive-portals", "captive portal*", "INFORMATION_TECHNOLOGIES", None),
    ("crl-hostname", "crl and ocsp domains", "INFORMATION_TECHNOLOGIES", None),
    // Most are addresses of content delivery networks.
    ("crl-ip", "crl and ocsp ip*", "INFORMATION_TECHNOLOGIES", ANNOTATE),
    ("findip-host", "*querying your source ip*", "INFORMATION_TECHNOLOGIES", None),
    ("whats-my-ip", "*know external ip", "INFORMATION_TECHNOLOGIES", None),
    // Popularity.
    ("alexa", "top *", "POPULAR_SITES", None),
    ("*_top*", "top *", "POPULAR_SITES", None),
    ("*-top*", "top *", "POPULAR_SITES", None),
    ("majestic_million", "top *", "POPULAR_SITES", None),
    ("tranco*", "top *", "POPULAR_SITES", None),
];

const ANNOTATE: Option<Action> = Some(Action::Annotate);

/// The topic and the action of a list.
pub(super) fn topic(folder: &str, name: &str) -> (Option<Category>, Option<Action>) {
    // No real name is longer; the patterns are compared without a limit of their own.
    let name: String = name.chars().take(200).collect();
    let (folder, name) = (folder.to_lowercase(), name.to_lowercase());
    let row = LISTS.iter().find(
        |(folders, names, ..)| {
            if folder.is_empty() { like(names, &name) } else { like(folders, &folder) }
        },
    );
    row.map_or((None, None), |(_, _, category, action)| (Category::find(category), *action))
}

/// Whether a text is like a pattern: `*` is any text, `?` one character.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|at| text.get(at..).is_some_and(|rest| like(&pattern[1..], rest))),
        Some(wanted) => {
            let found = text.chars().next().filter(|found| wanted == '?' || *found == wanted);
            found.is_some_and(|found| like(&pattern[wanted.len_utf8()..], &text[found.len_utf8()..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_categories_that_there_are() {
        for (folder, name, category, action) in LISTS {
            assert!(category.is_empty() || Category::find(category).is_some(), "{category}");
            assert!(!category.is_empty() || action.is_some(), "{folder} says nothing");
            assert_eq!(
                (folder.to_lowercase(), name.to_lowercase()),
                ((*folder).to_owned(), (*name).to_owned())
            );
        }
    }

    #[test]
    fn a_list_is_found_by_folder_or_else_by_name() {
        for (folder, name, category, action) in [
            ("amazon-aws", "List of known Amazon AWS IP address ranges", "CLOUD_SERVICES", ANNOTATE),
            ("cloudflare", "List of known Cloudflare IP ranges", "CONTENT_DELIVERY", ANNOTATE),
            ("cloudflare-top100k", "Top 100,000 domains from Cloudflare Radar", "POPULAR_SITES", None),
            ("cisco_top5k", "Top 5000 websites from Cisco Umbrella", "POPULAR_SITES", None),
            ("shodan-nt-scanning", "Shodan IP Ranges Used for Scanning", "SECURITY_SCANNERS", None),
            (
                "microsoft-attack-simulator",
                "List of known Office 365 Attack Simulator used",
                "SECURITY_SERVICES",
                None,
            ),
            ("microsoft-office365-ip", "List of known Office 365 IP address ranges", "CLOUD_SERVICES", None),
            ("microsoft", "List of known microsoft domains", "INFORMATION_TECHNOLOGIES", None),
            ("googlebot", "List of known Googlebot IP ranges", "SEARCH_ENGINES_AND_SERVICES", None),
            ("tlds", "TLDs as known by IANA", "", ANNOTATE),
            ("rfc1918", "List of RFC 1918 CIDR blocks", "", None),
        ] {
            let expected = (Category::find(category), action);
            assert_eq!(topic(folder, name), expected, "{folder}");
            assert_eq!(topic("", name), expected, "{name}");
        }
    }

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("*-top*", "a-top5", true),
            ("vpn-ipv?", "vpn-ipv4", true),
            ("vpn-ipv?", "vpn-ipv", false),
            ("a", "ab", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
