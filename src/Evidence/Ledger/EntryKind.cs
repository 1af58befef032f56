namespace Evidence.Ledger;

/// <summary>The kinds of custody entries. A kind is also the middle of the entry's payload type.</summary>
public static class EntryKind
{
    /// <summary>Declares a key, or the vault itself: see <see cref="IdentityBody"/>.</summary>
    public const string Identity = "identity";

    /// <summary>An image was taken.</summary>
    public const string Acquisition = "acquisition";

    /// <summary>Content was recomputed, and what came of it.</summary>
    public const string Verification = "verification";

    /// <summary>Damaged or missing content was brought back, and what is damaged set aside.</summary>
    public const string Repair = "repair";

    /// <summary>An image, or a part of one, was handed out.</summary>
    public const string Export = "export";

    /// <summary>Items are offered to another party, who accepts or refuses them by an entry of their own.</summary>
    public const string Transfer = "transfer";

    /// <summary>Whoever was sent a replica verified it from the medium, and says what they found.</summary>
    public const string Receipt = "receipt";

    /// <summary>An image was looked into.</summary>
    public const string Access = "access";

    /// <summary>An earlier entry is put right. Entries are never changed.</summary>
    public const string Correction = "correction";

    /// <summary>A time-stamp authority vouched for a checkpoint.</summary>
    public const string Timestamp = "timestamp";

    /// <summary>A party is put on the record.</summary>
    public const string Party = "party";

    /// <summary>A server, and how it stands with it.</summary>
    public const string Asset = "asset";

    /// <summary>A party demands that assets be kept.</summary>
    public const string Hold = "hold";

    /// <summary>A hold lets assets go, or an objection is overruled.</summary>
    public const string Release = "release";

    /// <summary>A party is told of what is intended with assets.</summary>
    public const string Notice = "notice";

    /// <summary>An attempt to deliver a notice.</summary>
    public const string Delivery = "delivery";

    /// <summary>What a party answers.</summary>
    public const string Response = "response";

    /// <summary>By which policy the wipe gate judges.</summary>
    public const string Policy = "policy";

    /// <summary>A clearance to wipe is asked for, approved or granted.</summary>
    public const string Clearance = "clearance";

    /// <summary>A wipe begins, or was done.</summary>
    public const string Wipe = "wipe";

    /// <summary>Personal data that an entry commits to were destroyed.</summary>
    public const string Erasure = "erasure";

    /// <summary>A remark for the record.</summary>
    public const string Note = "note";

    /// <summary>Whether a text can be a kind: lower-case letters, digits and hyphens, beginning with a letter, at most 32.</summary>
    public static bool IsValid(string? kind) =>
        kind is { Length: > 0 and <= 32 } && char.IsAsciiLetterLower(kind[0]) &&
        kind.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
