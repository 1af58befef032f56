namespace Evidence.Preservation;

/// <summary>What a hold is, and by that how long the policy lets it bind.</summary>
public enum HoldForm
{
    /// <summary>Whoever may command it commands it.</summary>
    Order,

    /// <summary>A party demands it, and was answered.</summary>
    Request,

    /// <summary>A party asked for it by letter, and was never answered.</summary>
    Letter,
}
