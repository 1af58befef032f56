namespace Evidence.Preservation;

/// <summary>What a party is, and by that what say it has.</summary>
public enum PartyRole
{
    /// <summary>The firm that has the hardware, and would have it back.</summary>
    Provider,

    /// <summary>Who rents the servers.</summary>
    Customer,

    /// <summary>Who speaks for another before a court.</summary>
    Counsel,

    /// <summary>Who investigates or prosecutes.</summary>
    Authority,

    /// <summary>Who decides.</summary>
    Court,

    /// <summary>People whose files are there, as a group.</summary>
    Users,

    /// <summary>Who pays for damage.</summary>
    Insurer,

    /// <summary>Who keeps a copy.</summary>
    Custodian,
}

/// <summary>The names of the roles, as entries and policies have them.</summary>
public static class PartyRoles
{
    /// <summary>The name of a role.</summary>
    public static string ToName(this PartyRole role) => role switch
    {
        PartyRole.Provider => "provider",
        PartyRole.Customer => "customer",
        PartyRole.Counsel => "counsel",
        PartyRole.Authority => "authority",
        PartyRole.Court => "court",
        PartyRole.Users => "users",
        PartyRole.Insurer => "insurer",
        PartyRole.Custodian => "custodian",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "This is no role."),
    };

    /// <summary>The role of a name.</summary>
    /// <exception cref="FormatException">There is no such role.</exception>
    public static PartyRole Parse(string name) =>
        Enum.GetValues<PartyRole>().Cast<PartyRole?>().FirstOrDefault(role => role!.Value.ToName() == name) ??
        throw new FormatException($"'{name}' is no role: {string.Join(", ", Enum.GetValues<PartyRole>().Select(ToName))}.");
}
