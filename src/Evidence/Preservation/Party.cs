using Evidence.Preservation.Statements;

namespace Evidence.Preservation;

/// <summary>A party, as the ledger has it.</summary>
public sealed class Party
{
    private readonly List<Recorded<PartyStatement>> statements = [];

    internal Party(Recorded<PartyStatement> first) => statements.Add(first);

    /// <summary>What it is called in this ledger.</summary>
    public string Id => statements[0].Statement.Party;

    /// <summary>What was said of it, in the log's order.</summary>
    public IReadOnlyList<Recorded<PartyStatement>> Statements => statements;

    /// <summary>What was said last.</summary>
    public PartyStatement Latest => statements[^1].Statement;

    /// <summary>The role by which it may let something go, or keep a copy: the one that the firm named first; null where it named none.</summary>
    public PartyRole? Role => Introduction?.Statement.Role;

    /// <summary>
    /// What the firm said of it first; null where only others did. Anybody can leave an entry that calls somebody a court, so what lets a party speak for a wipe, its role and its
    /// key, is the firm's word alone, on which it can be held. What speaks against one (other roles, other days) is taken from whoever says it.
    /// </summary>
    public Recorded<PartyStatement>? Introduction => statements.Find(statement => statement.IsOfFirm);

    /// <summary>The id of its key, the first that the firm declared for it; null where none was. What came in that key's place by rotation is its key as well.</summary>
    public string? Key => Keyed?.Statement.Key;

    /// <summary>The index of the entry that names its key; null where none does.</summary>
    public long? KeyEntry => Keyed?.Entry;

    private Recorded<PartyStatement>? Keyed => statements.Find(statement => statement.IsOfFirm && statement.Statement.Key is not null);

    /// <summary>What was known of it at a place of the log; null where it was not on the record yet.</summary>
    public PartyStatement? AsOf(long entry) => statements.FindLast(statement => statement.Entry < entry)?.Statement;

    internal void Add(Recorded<PartyStatement> statement) => statements.Add(statement);
}
