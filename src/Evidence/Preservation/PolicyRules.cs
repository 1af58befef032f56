using Evidence.Hashing;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>Whose word of the time counts, and how far it may be off.</summary>
/// <param name="Authorities">The SHA-256 of the certificates (DER) of the time-stamp authorities that are trusted. Without one, no time is proved, and nothing is cleared.</param>
/// <param name="Fresh">How old the newest outside time may be when the gate is asked.</param>
/// <param name="Tolerance">How far an entry's own word of its time may be from what outsiders prove.</param>
public sealed record TimeRules(IReadOnlyList<Sha256Digest> Authorities, Duration Fresh, Duration Tolerance);

/// <summary>Until when a hold binds that is neither released nor over by its own terms.</summary>
public enum HoldTerm
{
    /// <summary>Nothing else ends it.</summary>
    Released,

    /// <summary>Also until what it is about is preserved.</summary>
    Preserved,

    /// <summary>Also until that, or until whoever placed it was told as often as the policy asks for, and let every window close.</summary>
    Silence,

    /// <summary>It never binds; it is on the record, and is told.</summary>
    Never,
}

/// <summary>How long holds bind, by their forms.</summary>
/// <param name="Order">An order of whoever may command it.</param>
/// <param name="Request">A demand that was answered.</param>
/// <param name="Letter">A letter that was never answered.</param>
public sealed record HoldRules(HoldTerm Order, HoldTerm Request, HoldTerm Letter)
{
    /// <summary>How long holds of a form bind.</summary>
    public HoldTerm TermOf(HoldForm form) => form switch
    {
        HoldForm.Order => Order,
        HoldForm.Request => Request,
        HoldForm.Letter => Letter,
        _ => throw new ArgumentOutOfRangeException(nameof(form), form, "This is no form of a hold."),
    };
}

/// <summary>What counts as preserved.</summary>
/// <param name="Copies">How many custodians must have a copy of each disk's image, the vault's own among them; at least 1.</param>
/// <param name="Verified">How long ago each of them may have verified it from the medium.</param>
/// <param name="Unreadable">How many bytes of a disk may be missing from its image without anyone's acceptance.</param>
/// <param name="AcceptedBy">Whose acceptance of an image with more missing counts.</param>
public sealed record PreservedRules(int Copies, Duration Verified, long Unreadable, IReadOnlyList<PartyRole> AcceptedBy);

/// <summary>How often a party is told, and how long it has.</summary>
/// <param name="Count">How many notices.</param>
/// <param name="Days">How long each leaves for an answer, at least.</param>
/// <param name="Unit">Of which days.</param>
/// <param name="Apart">How far apart their windows must begin.</param>
public sealed record NoticeTerm(int Count, int Days, WindowUnit Unit, Duration Apart);

/// <summary>Who is told of an intended wipe, and how.</summary>
/// <param name="To">The roles of the parties that have a say in the asset.</param>
/// <param name="WhenPreserved">How they are told where what they could want is preserved.</param>
/// <param name="OnSilence">How they are told where it is not, and their silence alone would clear it.</param>
/// <param name="Delivery">What must be shown of a delivery: that it reached the party, or that it was attempted.</param>
public sealed record NoticeRules(IReadOnlyList<PartyRole> To, NoticeTerm WhenPreserved, NoticeTerm OnSilence, DeliveryOutcome Delivery);

/// <summary>Whose objection blocks.</summary>
/// <param name="Block">The roles.</param>
public sealed record ObjectionRules(IReadOnlyList<PartyRole> Block);

/// <summary>Who may ask for a clearance, and who must approve it.</summary>
/// <param name="RequestedBy">The roles of those who may request it. Whoever began the vault is of the provider.</param>
/// <param name="Count">How many people, none of whom is the one who requests it.</param>
/// <param name="By">The ids of the keys of those who may; empty where nobody is named yet, and then nobody may.</param>
/// <param name="Within">How old an approval may be.</param>
public sealed record ApprovalRules(IReadOnlyList<PartyRole> RequestedBy, int Count, IReadOnlyList<string> By, Duration Within);

/// <summary>What a clearance is worth.</summary>
/// <param name="Valid">How long after it was granted it may be used.</param>
public sealed record ClearanceRules(Duration Valid);

/// <summary>How another policy takes the place of this one.</summary>
/// <param name="Approvals">How many must approve it, of those who may approve clearances, and not whoever proposes it.</param>
/// <param name="Wait">How long it waits then, from an outside time on.</param>
public sealed record ChangeRules(int Approvals, Duration Wait);
