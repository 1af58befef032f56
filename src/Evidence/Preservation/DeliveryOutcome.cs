namespace Evidence.Preservation;

/// <summary>What became of an attempt to deliver a notice.</summary>
public enum DeliveryOutcome
{
    /// <summary>It reached the party.</summary>
    Delivered,

    /// <summary>It was sent, and did not come back; that it arrived is not known.</summary>
    Attempted,

    /// <summary>It did not arrive.</summary>
    Failed,
}
